import { Outlet } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useI18n } from "@/i18n";
import { LanguageSwitch } from "./language-switch";
import { BottomNavigation, SideNavigation } from "./navigation";
import { ThemeSwitch } from "./theme-switch";
import { Wordmark } from "./wordmark";

/** What is around every page: where one can go, the language, the theme, and whether the server is well. */
export function Shell({ health, palette }: { health: ReactNode; palette: ReactNode }) {
  const { t } = useI18n();
  return (
    <div className="min-h-dvh lg:pl-60">
      <a
        href="#content"
        className="-translate-y-20 fixed top-2 left-2 z-50 rounded-lg bg-accent px-4 py-2 font-medium text-on-accent focus:translate-y-0"
      >
        {t("shell.skip")}
      </a>
      <SideNavigation />
      <header className="sticky top-0 z-30 flex h-14 items-center justify-between gap-3 border-line border-b bg-canvas/85 px-4 backdrop-blur sm:px-6 lg:px-8">
        <div className="flex lg:invisible">
          <Wordmark />
        </div>
        <div className="flex items-center gap-1 sm:gap-2">
          {health}
          {palette}
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
      </header>
      <main id="content" tabIndex={-1} className="pb-20 outline-none lg:pb-8">
        <Outlet />
      </main>
      <BottomNavigation />
    </div>
  );
}
