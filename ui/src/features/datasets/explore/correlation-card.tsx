import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { QueryView } from "@/components/query-view";
import { Card, CardHeader } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import type { Correlation } from "./queries";
import { exploreQueries } from "./queries";

type Method = Correlation["method"];

interface CorrelationCardProps {
  id: number;
  method: Method;
  onMethod: (method: Method) => void;
}

/** Which figures go together: a matrix in colours, red against one another, green with one another. */
export function CorrelationCard({ id, method, onMethod }: CorrelationCardProps) {
  const { t } = useI18n();
  const correlation = useQuery(exploreQueries.correlation(id, method));
  return (
    <Card className="overflow-clip">
      <CardHeader
        title={t("explore.correlation")}
        description={t("explore.correlationText")}
        action={
          <Segmented<Method>
            label={t("explore.method")}
            value={method}
            options={[
              { value: "pearson", label: t("explore.pearson") },
              { value: "spearman", label: t("explore.spearman") },
            ]}
            onChange={onMethod}
          />
        }
      />
      <QueryView query={correlation}>
        {(found) =>
          found.measures.length < 2 ? (
            <p className="border-line border-t px-5 py-4 text-ink-soft">{t("explore.noCorrelation")}</p>
          ) : (
            <Matrix correlation={found} />
          )
        }
      </QueryView>
    </Card>
  );
}

function Matrix({ correlation }: { correlation: Correlation }) {
  const { t, format } = useI18n();
  const { measures, coefficients, n, p_values: chances } = correlation;
  const [pointed, setPointed] = useState<[number, number] | null>(null);
  const name = (index: number) => {
    const measure = measures[index];
    if (!measure) return "";
    return measure.measure === "characters" ? t("explore.lengthOf", { column: measure.column }) : measure.column;
  };
  const told = (row: number, column: number) => {
    const value = coefficients[row]?.[column];
    if (typeof value !== "number") return t("explore.doesNotVary");
    const chance = chances[row]?.[column];
    return t("explore.pair", {
      a: name(row),
      b: name(column),
      value: format.number(value, 3),
      n: format.number(n[row]?.[column] ?? 0),
      p: typeof chance === "number" ? format.measure(chance) : "–",
    });
  };
  return (
    <div className="overflow-x-auto border-line border-t px-5 py-4">
      <table className="border-separate border-spacing-0.5 text-xs" onPointerLeave={() => setPointed(null)}>
        <caption className="numeric mb-2 h-5 text-start text-ink-soft">
          {pointed ? told(...pointed) : t("explore.pointAtPair")}
        </caption>
        <thead>
          <tr>
            <td />
            {measures.map((measure, index) => (
              <th
                key={measure.name}
                scope="col"
                className="max-w-20 truncate px-1 pb-1 font-medium text-ink-soft"
                title={name(index)}
              >
                {name(index)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {measures.map((measure, row) => (
            <tr key={measure.name}>
              <th scope="row" className="max-w-44 truncate pr-2 text-end font-medium text-ink-soft" title={name(row)}>
                {name(row)}
              </th>
              {measures.map((other, column) => {
                const value = coefficients[row]?.[column] ?? null;
                return (
                  <td
                    key={other.name}
                    className="numeric h-9 min-w-14 rounded text-center"
                    style={{ background: shade(value) }}
                    onPointerEnter={() => setPointed([row, column])}
                  >
                    {value === null ? <span className="text-ink-faint">–</span> : format.number(value, 2)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The stronger, the more colour; the text on it stays readable in both themes. */
function shade(value: number | null): string {
  if (value === null) return "var(--sunken)";
  const token = value < 0 ? "--red" : "--accent";
  return `color-mix(in oklch, var(${token}) ${Math.round(Math.abs(value) * 45)}%, var(--sunken))`;
}
