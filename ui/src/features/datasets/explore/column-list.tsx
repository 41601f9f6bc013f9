import { Link } from "@tanstack/react-router";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { ColumnStatistics } from "./queries";

/** The columns with what they are and how much of them is there. */
export function ColumnList({ columns, chosen }: { columns: readonly ColumnStatistics[]; chosen: string | undefined }) {
  const { t, known, format } = useI18n();
  return (
    <Card className="overflow-clip lg:sticky lg:top-18">
      <CardHeader title={t("explore.columns")} />
      <ul className="max-h-[32rem] overflow-y-auto border-line border-t p-1.5">
        {columns.map((column) => (
          <li key={column.column}>
            <Link
              from="/data/$id/explore"
              search={(old) => ({ ...old, column: column.column })}
              replace
              aria-current={column.column === chosen ? "true" : undefined}
              className={cn(
                "grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 rounded-lg px-3 py-1.5 text-[0.8125rem] hover:bg-sunken",
                column.column === chosen && "bg-accent-soft hover:bg-accent-soft",
              )}
            >
              <span className="truncate font-medium">{column.column}</span>
              <span className="text-ink-faint text-xs">{known("columnTypes", column.type, column.type)}</span>
              <span className="numeric truncate text-ink-faint text-xs">
                {t("explore.distinct", {
                  value: `${column.distinct.exact ? "" : "≈ "}${format.number(column.distinct.value)}`,
                })}
              </span>
              <span className={cn("numeric text-end text-xs", column.missing > 0 ? "text-amber" : "text-ink-faint")}>
                {column.missing > 0
                  ? t("explore.missingShare", { share: format.percent(column.missing_share, 1) })
                  : t("explore.complete")}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
