import { CircleCheck } from "lucide-react";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import type { Missing } from "./queries";

const KINDS = ["absent", "null", "empty", "blank", "na_like"] as const;

/** Which columns have gaps, of what kind, and which are missing together. */
export function MissingCard({ missing, rows }: { missing: Missing; rows: number }) {
  const { t, format } = useI18n();
  const columns = missing.columns.filter((column) => column.missing > 0);
  const patterns = missing.patterns.filter((pattern) => pattern.columns.length > 0);
  return (
    <Card className="overflow-clip">
      <CardHeader
        title={t("explore.missing")}
        description={t("explore.completeRows", {
          rows: format.number(missing.complete_rows),
          share: format.percent(rows ? missing.complete_rows / rows : 0, 1),
        })}
      />
      {columns.length === 0 ? (
        <p className="flex items-center gap-2 border-line border-t px-5 py-4 text-ink-soft">
          <CircleCheck aria-hidden className="size-4.5 text-green" />
          {t("explore.nothingMissing")}
        </p>
      ) : (
        <Table label={t("explore.missing")}>
          <thead>
            <tr>
              <Th>{t("explore.column")}</Th>
              <Th className="w-1/4">{t("explore.share")}</Th>
              {KINDS.map((kind) => (
                <Th key={kind} className="text-end">
                  {t(`explore.missingKinds.${kind}`)}
                </Th>
              ))}
            </tr>
          </thead>
          <tbody>
            {columns.map((column) => (
              <Tr key={column.column}>
                <Td className="font-medium">{column.column}</Td>
                <Td>
                  <span className="flex items-center gap-2">
                    <span className="h-1.5 w-full min-w-16 max-w-40 overflow-hidden rounded-full bg-line">
                      <span className="block h-full bg-amber" style={{ width: `${column.share * 100}%` }} />
                    </span>
                    <span className="numeric text-xs">{format.percent(column.share, 1)}</span>
                  </span>
                </Td>
                {KINDS.map((kind) => (
                  <Td key={kind} className="numeric text-end text-ink-soft">
                    {column[kind] === 0 ? <span className="text-ink-faint">–</span> : format.number(column[kind])}
                  </Td>
                ))}
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
      {patterns.length > 0 && (
        <div className="border-line border-t px-5 py-4">
          <h3 className="mb-2 text-ink-soft text-xs">{t("explore.together")}</h3>
          <ul className="space-y-1 text-[0.8125rem]">
            {patterns.slice(0, 6).map((pattern) => (
              <li key={pattern.columns.join("\u0000")} className="flex gap-3">
                <span className="min-w-0 flex-1">{pattern.columns.join(" + ")}</span>
                <span className="numeric text-ink-soft">{t("data.rowCount", { count: pattern.rows })}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}
