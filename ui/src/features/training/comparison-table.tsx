import { Badge } from "@/components/ui/badge";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import type { ComparisonRow } from "./result-reading";

/** The same measures of the base and of the tuned model, and which way they went. */
export function ComparisonTable({ rows }: { rows: ComparisonRow[] }) {
  const { t, format } = useI18n();
  const measure = (row: ComparisonRow, value: number) =>
    row.isShare ? format.percent(value, 1) : format.measure(value);
  const show = (row: ComparisonRow, value: number) =>
    row.total === undefined ? measure(row, value) : t("runs.rightOf", { right: value, total: row.total });
  return (
    <Table label={t("runs.result")} data-testid="comparison">
      <thead>
        <tr>
          <Th>{t("runs.measure")}</Th>
          <Th className="text-end">{t("runs.baseColumn")}</Th>
          <Th className="text-end">{t("runs.tunedColumn")}</Th>
          <Th className="text-end">{t("runs.change")}</Th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const difference = row.tuned - row.base;
          const isBetter = row.lowerIsBetter ? difference < 0 : difference > 0;
          const name = t(`runs.${row.measure}`);
          const sign = difference > 0 ? "+" : "";
          return (
            <Tr key={`${row.about}-${row.measure}`} data-measure={`${row.about}-${row.measure}`}>
              <Td>{row.about === "general" ? t("runs.general", { name }) : name}</Td>
              <Td className="numeric whitespace-nowrap text-end text-ink-soft">{show(row, row.base)}</Td>
              <Td className="numeric whitespace-nowrap text-end font-semibold">{show(row, row.tuned)}</Td>
              <Td className="text-end">
                {difference === 0 ? (
                  <span className="text-ink-faint">=</span>
                ) : (
                  <Badge tone={isBetter ? "green" : "amber"} className="numeric">
                    {sign}
                    {measure(row, difference)}
                  </Badge>
                )}
              </Td>
            </Tr>
          );
        })}
      </tbody>
    </Table>
  );
}
