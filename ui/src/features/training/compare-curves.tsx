import { useQueries } from "@tanstack/react-query";
import { lazy, Suspense, useId, useState } from "react";
import { Card, CardHeader } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { overlay } from "@/lib/overlay";
import { smooth } from "@/lib/smoothing";
import { CHARTS, isSparse, valueAt } from "./metrics";
import { type Metrics, type Run, runQueries } from "./queries";

const MetricChart = lazy(() => import("@/components/metric-chart"));
const COLORS = ["--accent", "--amber", "--blue", "--green", "--red", "--ink-soft"] as const;

/** Every run has one colour on the whole page. */
export const colorOf = (place: number) => COLORS[place % COLORS.length] ?? "--accent";

export function CompareCurves({ runs }: { runs: Run[] }) {
  const { t, known, format } = useI18n();
  const [weight, setWeight] = useState(0.6);
  const sliderId = useId();
  const answers = useQueries({ queries: runs.map((run) => runQueries.metrics(run.id)) });
  if (answers.some((answer) => answer.isPending)) return <Skeleton className="h-64 w-full" />;
  const points = answers.map((answer): Metrics[] => answer.data ?? []);
  const shown = CHARTS.flatMap(({ metrics, smoothed }) => metrics.map((name) => ({ name, smoothed }))).filter(
    ({ name }) => points.some((one) => one.some((point) => valueAt(point, name) !== null)),
  );
  return (
    <Card>
      <CardHeader
        title={t("compare.curves")}
        action={
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
        }
      />
      <div className="grid gap-x-6 gap-y-4 px-4 pb-4 md:grid-cols-2" data-testid="overlay">
        {shown.map(({ name, smoothed }) => {
          const curves = points.map((one) => ({
            steps: one.map((point) => point.step),
            values: smooth(
              one.map((point) => valueAt(point, name)),
              smoothed && !isSparse(name) ? weight : 0,
            ),
          }));
          const { steps, values } = overlay(curves);
          return (
            <figure key={name} className={cn("min-w-0", name === "loss" && "md:col-span-2")}>
              <figcaption className="px-1 pb-1 font-medium text-[0.8125rem]">{known("metrics", name, name)}</figcaption>
              <Suspense fallback={<Skeleton className="h-48" />}>
                <MetricChart
                  label={t("runs.chartOf", { name: known("metrics", name, name) })}
                  steps={steps}
                  series={runs.map((run, place) => ({
                    name: `${run.job_name} #${run.id}`,
                    color: colorOf(place),
                    values: values[place] ?? [],
                    sparse: isSparse(name),
                  }))}
                  stepLabel={t("runs.step")}
                  format={format.measure}
                />
              </Suspense>
            </figure>
          );
        })}
      </div>
    </Card>
  );
}
