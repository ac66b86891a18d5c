// The chosen theme before the first paint, so that nothing flashes.
try {
  const theme = localStorage.getItem("hearthwatt-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is switched off: the system's theme it is
}
