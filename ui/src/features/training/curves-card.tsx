import { LineChart } from "lucide-react";
import { lazy, Suspense, useId, useMemo, useState } from "react";
import { EmptyState } from "@/components/empty-state";
import type { Series } from "@/components/metric-chart";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { smooth } from "@/lib/smoothing";
import { CHARTS, COLORS, isSparse, type MetricName, valueAt } from "./metrics";
import type { Metrics } from "./queries";

const MetricChart = lazy(() => import("@/components/metric-chart"));

export function CurvesCard({ metrics, isLoading }: { metrics: Metrics[]; isLoading: boolean }) {
  const { t, format } = useI18n();
  const [weight, setWeight] = useState(0.6);
  const sliderId = useId();
  const shown = CHARTS.filter((chart) =>
    chart.metrics.some((name) => metrics.some((point) => valueAt(point, name) !== null)),
  );
  return (
    <Card>
      <CardHeader
        title={t("runs.curves")}
        action={
          shown.length > 0 && (
            <div className="flex items-center gap-2 text-[0.8125rem] text-ink-soft">
              <label htmlFor={sliderId}>{t("runs.smoothing")}</label>
              <input
                id={sliderId}
                type="range"
                min={0}
                max={0.95}
                step={0.05}
                value={weight}
                onChange={(event) => setWeight(event.currentTarget.valueAsNumber)}
                className="w-28 accent-accent"
              />
              <span className="numeric w-8">{format.number(weight, 2)}</span>
            </div>
          )
        }
      />
      {isLoading ? (
        <Skeleton className="mx-5 mb-5 h-48" />
      ) : shown.length === 0 ? (
        <EmptyState icon={LineChart} title={t("runs.curves")}>
          {t("runs.noCurves")}
        </EmptyState>
      ) : (
        <div className="grid gap-x-6 gap-y-4 px-4 pb-4 md:grid-cols-2" data-testid="curves">
          {shown.map((chart) => (
            <Curve key={chart.metrics[0]} points={metrics} weight={chart.smoothed ? weight : 0} names={chart.metrics} />
          ))}
        </div>
      )}
    </Card>
  );
}

interface CurveProps {
  points: Metrics[];
  names: MetricName[];
  weight: number;
}

function Curve({ points, names, weight }: CurveProps) {
  const { t, known, format } = useI18n();
  const first = names[0] ?? "loss";
  const title = known("metrics", first, first);
  const steps = useMemo(() => points.map((point) => point.step), [points]);
  const series = useMemo(
    () =>
      names.flatMap((name): Series[] => {
        const values = points.map((point) => valueAt(point, name));
        if (values.every((value) => value === null)) return [];
        const line = { name: known("metrics", name, name), color: COLORS[name] };
        if (isSparse(name)) return [{ ...line, values, sparse: true }];
        if (weight === 0) return [{ ...line, values }];
        return [
          { ...line, values, faint: true },
          { ...line, values: smooth(values, weight) },
        ];
      }),
    [points, names, weight, known],
  );
  const last = points.map((point) => valueAt(point, first)).findLast((value) => value !== null);
  return (
    <figure className={cn("min-w-0", first === "loss" && "md:col-span-2")}>
      <figcaption className="flex items-baseline justify-between gap-3 px-1 pb-1 text-[0.8125rem]">
        <span className="font-medium">{title}</span>
        <span className="numeric font-semibold" data-metric={first}>
          {typeof last === "number" ? format.measure(last) : "–"}
        </span>
      </figcaption>
      <Suspense fallback={<Skeleton className="h-48" />}>
        <MetricChart
          label={t("runs.chartOf", { name: title })}
          steps={steps}
          series={series}
          stepLabel={t("runs.step")}
          format={format.measure}
        />
      </Suspense>
    </figure>
  );
}
