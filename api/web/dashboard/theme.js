// Runs before the first paint: the look this person chose on this device (UI-16). A classic script on purpose.
(() => {
  let chosen = "system";
  try { chosen = localStorage.getItem("osteon-theme") || "system"; } catch { /* storage is switched off: follow the system */ }
  document.documentElement.dataset.theme = chosen;
})();
