import { useQuery } from "@tanstack/react-query";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { systemQueries } from "./queries";

/** A dot and a word: does the server answer. */
export function HealthDot() {
  const { t } = useI18n();
  const health = useQuery(systemQueries.health());
  const state = health.isError ? "away" : health.data ? "well" : "asking";
  const text = { away: t("shell.serverAway"), well: t("shell.serverWell"), asking: t("shell.serverAsking") }[state];
  return (
    <span role="status" title={text} className="inline-flex items-center gap-2 px-2 text-[0.8125rem] text-ink-soft">
      <span
        aria-hidden
        className={cn(
          "size-2 rounded-full",
          state === "well" ? "bg-green" : state === "away" ? "bg-red" : "animate-pulse bg-line-strong",
        )}
      />
      <span className={cn(state === "well" && "max-md:sr-only", state === "asking" && "sr-only")}>{text}</span>
    </span>
  );
}
