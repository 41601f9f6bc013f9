import { Link } from "@tanstack/react-router";
import {
  Activity,
  Boxes,
  Database,
  Gauge,
  House,
  ListChecks,
  type LucideIcon,
  MessageSquare,
  SlidersHorizontal,
} from "lucide-react";
import { useI18n } from "@/i18n";
import { Wordmark } from "./wordmark";

interface Destination {
  to: "/" | "/data" | "/train" | "/runs" | "/chat" | "/models" | "/jobs" | "/system";
  label: `nav.${"home" | "data" | "train" | "runs" | "models" | "chat" | "jobs" | "system"}`;
  icon: LucideIcon;
  /** On a phone there is room for six; the others are a search away. */
  wideOnly?: true;
}

const DESTINATIONS: Destination[] = [
  { to: "/", label: "nav.home", icon: House },
  { to: "/data", label: "nav.data", icon: Database },
  { to: "/train", label: "nav.train", icon: SlidersHorizontal },
  { to: "/runs", label: "nav.runs", icon: Activity },
  { to: "/models", label: "nav.models", icon: Boxes },
  { to: "/chat", label: "nav.chat", icon: MessageSquare },
  { to: "/jobs", label: "nav.jobs", icon: ListChecks, wideOnly: true },
  { to: "/system", label: "nav.system", icon: Gauge, wideOnly: true },
];

export function SideNavigation() {
  const { t } = useI18n();
  return (
    <nav
      aria-label={t("nav.label")}
      className="fixed inset-y-0 left-0 z-40 hidden w-60 flex-col border-line border-r bg-surface lg:flex"
    >
      <div className="flex h-14 items-center px-5">
        <Wordmark />
      </div>
      <ul className="space-y-0.5 px-3 py-3">
        {DESTINATIONS.map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link
              to={to}
              activeOptions={{ exact: to === "/", includeSearch: false }}
              className="flex h-9 items-center gap-3 rounded-lg px-3 font-medium text-ink-soft hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent"
            >
              <Icon aria-hidden className="size-4.5" />
              {t(label)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

export function BottomNavigation() {
  const { t } = useI18n();
  return (
    <nav
      aria-label={t("nav.label")}
      className="fixed inset-x-0 bottom-0 z-40 border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] lg:hidden"
    >
      <ul className="mx-auto grid max-w-xl grid-cols-6">
        {DESTINATIONS.filter(({ wideOnly }) => !wideOnly).map(({ to, label, icon: Icon }) => (
          <li key={to} className="min-w-0">
            <Link
              to={to}
              activeOptions={{ exact: to === "/", includeSearch: false }}
              className="flex flex-col items-center gap-1 py-2 font-medium text-[0.6875rem] text-ink-soft aria-[current=page]:text-accent"
            >
              <Icon aria-hidden className="size-5" />
              <span className="max-w-full truncate">{t(label)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
