// Runs before the first paint, so that a dark page never flashes white and the language is right for screen readers.
// Keep the keys and rules equal to src/lib/appearance.ts and src/i18n/index.tsx.
(() => {
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const theme = stored("tunesmith.theme");
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const chosen = stored("tunesmith.locale");
  const korean = chosen ? chosen === "ko" : navigator.language.toLowerCase().startsWith("ko");
  document.documentElement.lang = korean ? "ko" : "en";
})();
