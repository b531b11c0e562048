// Sets the theme before the first paint. The choice is stored in this browser and followed by other tabs.
(() => {
  const key = "counterpart-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(key) || "auto";
    } catch {
      return "auto";
    }
  }

  function apply() {
    const choice = chosen();
    const theme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
    document.documentElement.dataset.bsTheme = theme;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  }

  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", (event) => event.key === key && apply());
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem(key, button.dataset.themeChoice);
    } catch {
      document.documentElement.dataset.bsTheme = button.dataset.themeChoice;
      return;
    }
    apply();
    button.closest("[popover]")?.hidePopover();
  });
})();
