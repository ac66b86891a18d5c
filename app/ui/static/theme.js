// The chosen theme before the first paint, so that nothing flashes or jumps.
try {
  const theme = localStorage.getItem("hearthwatt-theme");
  // the place of the line about sharing is kept too
  if (localStorage.getItem("hearthwatt-sync-line") === "1") document.documentElement.dataset.sync = "";
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is switched off: the system's theme it is
}
