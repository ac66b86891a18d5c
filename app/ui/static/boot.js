// Loads the page. If that fails, says so instead of leaving the skeleton.
import init from "./ui.js";

init({ module_or_path: new URL("./ui_bg.wasm", import.meta.url) }).catch((error) => {
  console.error(error);
  const p = document.createElement("p");
  p.className = "noscript";
  p.setAttribute("role", "alert");
  p.textContent = navigator.language.startsWith("de")
    ? "Die Seite konnte nicht starten. Ihre Daten sind davon nicht betroffen. Bitte neu laden; hilft das nicht, braucht der Browser eine Aktualisierung."
    : "The page could not start. Your data is not affected. Please reload; if that does not help, the browser needs an update.";
  document.getElementById("app").replaceChildren(p);
});
