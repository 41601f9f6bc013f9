import { useEffect, useState } from "react";
import { readStored, writeStored } from "@/lib/stored";

export type Theme = "light" | "dark" | "system";
const STORAGE_KEY = "tunesmith.theme";

function storedTheme(): Theme {
  const stored = readStored(STORAGE_KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** The theme that was chosen, and how to change it. The page's colours follow `data-theme` on the root element. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(storedTheme);
  useEffect(() => {
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      const dark = theme === "dark" || (theme === "system" && system.matches);
      document.documentElement.dataset.theme = dark ? "dark" : "light";
    };
    apply();
    system.addEventListener("change", apply);
    return () => system.removeEventListener("change", apply);
  }, [theme]);
  const choose = (next: Theme) => {
    writeStored(STORAGE_KEY, next === "system" ? null : next);
    setTheme(next);
  };
  return [theme, choose];
}
