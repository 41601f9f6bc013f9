import { Link, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useI18n } from "@/i18n";
import type { DatasetDetail } from "./queries";

const TABS = [
  { to: "/data/$id/doctor", label: "data.tabDoctor" },
  { to: "/data/$id/table", label: "data.tabTable" },
  { to: "/data/$id/explore", label: "data.tabExplore" },
  { to: "/data/$id/tokens", label: "data.tabTokens" },
  { to: "/data/$id/xray", label: "data.tabXray" },
  { to: "/data/$id/split", label: "data.tabSplit" },
  { to: "/data/$id/versions", label: "data.tabVersions" },
  { to: "/data/$id/quality", label: "data.tabQuality" },
  { to: "/data/$id/mapping", label: "data.tabMapping" },
] as const;

/** Links, not buttons: each tab has its address, opens in a new window, and is where the back button leads. */
export function DatasetTabs({ dataset }: { dataset: DatasetDetail }) {
  const { t, format } = useI18n();
  const bar = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: on a phone the tab that is shown may lie outside the bar
  useEffect(() => {
    const tab = bar.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (tab && bar.current) bar.current.scrollLeft = tab.offsetLeft - (bar.current.clientWidth - tab.offsetWidth) / 2;
  }, [path]);
  const { red = 0, amber = 0 } = dataset.findings_counts ?? {};
  return (
    <nav
      ref={bar}
      aria-label={t("data.views")}
      className="-mx-4 mb-5 relative overflow-x-auto border-line border-b px-4 [scrollbar-width:none] sm:mx-0 sm:px-0"
    >
      <ul className="flex gap-1">
        {TABS.map(({ to, label }) => (
          <li key={to}>
            <Link
              to={to}
              params={{ id: String(dataset.id) }}
              activeOptions={{ includeSearch: false }}
              className="-mb-px flex h-10 items-center gap-1.5 whitespace-nowrap rounded-t-md border-transparent border-b-2 px-3 font-medium text-[0.8125rem] text-ink-soft hover:text-ink focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:text-ink"
            >
              {t(label)}
              {label === "data.tabDoctor" && red + amber > 0 && (
                <span
                  className={`numeric rounded-full px-1.5 text-[0.6875rem] leading-4.5 ${red > 0 ? "bg-red-soft text-red" : "bg-amber-soft text-amber"}`}
                >
                  {format.compact(red > 0 ? red : amber)}
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
