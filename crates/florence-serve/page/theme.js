// Light or dark theme, set before the first paint: the saved choice, else the system's.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => {
    try {
      return localStorage.getItem("florence-theme");
    } catch {
      return null;
    }
  };
  const apply = (theme) => {
    document.documentElement.dataset.theme = theme;
    document.getElementById("theme")?.setAttribute("aria-checked", String(theme === "dark"));
  };
  const decide = () => {
    const chosen = kept();
    apply(chosen === "dark" || chosen === "light" ? chosen : system.matches ? "dark" : "light");
  };
  const turn = () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("florence-theme", theme);
    } catch {
      // Without storage the choice lasts until the page is left.
    }
    apply(theme);
  };
  decide();
  system.addEventListener("change", decide);
  addEventListener("DOMContentLoaded", () => {
    decide();
    document.getElementById("theme").addEventListener("click", turn);
  });
})();
