import { useQuery } from "@tanstack/react-query";
import { Gauge } from "lucide-react";
import { useEffect, useState } from "react";
import { asApiError } from "@/api/errors";
import { isActive } from "@/api/jobs";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { jobQueries } from "@/features/jobs/queries";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { type Forecast, useForecast } from "./queries";

/** What the run will take, measured before it starts; a server that cannot measure it says so in one sentence. */
export function ForecastPanel({ recipe, disabled }: { recipe: Record<string, unknown> | null; disabled: boolean }) {
  const { t } = useI18n();
  const forecast = useForecast();
  const [jobId, setJobId] = useState<number | null>(null);
  const job = useQuery({ ...jobQueries.detail(jobId ?? 0), enabled: jobId !== null });
  const [measuredFor, setMeasuredFor] = useState("");
  const current = JSON.stringify(recipe);
  const isMeasuring = forecast.isPending || (jobId !== null && (!job.data || isActive(job.data.state)));
  const outcome = forecast.data;
  const found = outcome && "done" in outcome ? outcome.done : (job.data?.result as Forecast | null | undefined);
  const isAbsent = forecast.isError && isRouteAbsent(forecast.error);

  useEffect(() => {
    if (outcome && "job" in outcome) setJobId(outcome.job);
  }, [outcome]);

  const measure = () => {
    if (!recipe) return;
    setJobId(null);
    setMeasuredFor(current);
    forecast.mutate(recipe);
  };
  return (
    <Card aria-label={t("forecast.title")}>
      <CardHeader
        title={t("forecast.title")}
        description={t("forecast.text")}
        action={
          !isAbsent && (
            <Button size="small" pending={isMeasuring} disabled={disabled || !recipe} onClick={measure}>
              <Gauge aria-hidden />
              {isMeasuring ? t("forecast.measuring") : found ? t("forecast.again") : t("forecast.measure")}
            </Button>
          )
        }
      />
      {isAbsent && <p className="px-5 pb-4 text-[0.8125rem] text-ink-soft">{t("forecast.missing")}</p>}
      {forecast.isError && !isAbsent && <ProblemNotice error={forecast.error} className="mx-5 mb-4" />}
      {job.data?.error && <p className="px-5 pb-4 text-[0.8125rem] text-red">{job.data.error.message}</p>}
      {found && <Figures forecast={found} stale={measuredFor !== current} />}
    </Card>
  );
}

/** Whether the server has no forecast. A 404 with a code of its own is about the recipe's model or data instead. */
function isRouteAbsent(error: unknown): boolean {
  const { status, problem } = asApiError(error);
  return status === 405 || status === 501 || (status === 404 && (problem.code ?? "not-found") === "not-found");
}

const COLOURS: Record<string, string> = { red: "text-red", amber: "text-amber", green: "text-ink-soft" };

function Figures({ forecast, stale }: { forecast: Forecast; stale: boolean }) {
  const { t, known, format } = useI18n();
  const show = (value: number | null | undefined, words: (value: number) => string) =>
    typeof value === "number" ? words(value) : "–";
  const rows = [
    [t("forecast.memory"), show(forecast.peak_memory_bytes, format.bytes)],
    [t("forecast.time"), show(forecast.seconds, format.duration)],
    [t("forecast.perStep"), show(forecast.seconds_per_step, format.duration)],
    [t("forecast.tokens"), show(forecast.tokens, format.number)],
    [t("forecast.truncated"), show(forecast.truncated_rows, format.number)],
  ];
  const problems = forecast.problems ?? [];
  return (
    <div className={cn("px-5 pb-4 text-[0.8125rem]", stale && "opacity-60")} data-testid="forecast">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-1">
        {rows.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-3">
            <dt className="text-ink-soft">{name}</dt>
            <dd className="numeric font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      {problems.length === 0 ? (
        <p className="mt-2 text-green">{t("forecast.noProblems")}</p>
      ) : (
        <ul className="mt-3 space-y-3">
          {problems.map((problem) => {
            const title = known("forecastFindings", problem.code, "");
            const colour = COLOURS[problem.severity ?? "amber"];
            return (
              <li key={`${problem.code}-${problem.message}`}>
                {title && <p className={cn("font-medium", colour)}>{title}</p>}
                <p className={title ? "text-ink-soft" : colour}>{problem.message}</p>
                <p>{known("forecastFixes", problem.code, problem.fix ?? "")}</p>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
