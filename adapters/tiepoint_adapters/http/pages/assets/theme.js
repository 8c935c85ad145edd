// Runs before the page is drawn, so that it never flashes in the other colours.
"use strict";
(() => {
  const next = { auto: "dark", dark: "light", light: "auto" };
  const show = (theme) => {
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
  };
  const stored = () => localStorage.getItem("tiepoint-theme") ?? "auto";
  show(stored());
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme")?.addEventListener("click", () => {
      let theme = next[stored()];
      const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      if (stored() === "auto" && theme === dark) theme = next[theme];
      localStorage.setItem("tiepoint-theme", theme);
      show(theme);
    });
  });
})();
