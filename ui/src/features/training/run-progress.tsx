import { Link } from "@tanstack/react-router";
import { Ban, Check, Circle, LoaderCircle, X } from "lucide-react";
import { StateProgress } from "@/components/state-progress";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import type { StreamState } from "@/hooks/use-event-stream";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { Metrics, Run } from "./queries";
import type { Stage } from "./use-stages";

interface RunProgressProps {
  run: Run;
  stages: Stage[];
  stream: StreamState;
  /** The last point of the curves: what the run uses now. */
  newest: Metrics | undefined;
}

export function RunProgress({ run, stages, stream, newest }: RunProgressProps) {
  const { t, format } = useI18n();
  const isRunning = run.status === "running";
  const seconds =
    run.started_at && run.completed_at ? (Date.parse(run.completed_at) - Date.parse(run.started_at)) / 1000 : null;
  return (
    <Card>
      <div className="px-5 py-4">
        <div className="numeric mb-2 flex flex-wrap items-baseline gap-x-4 gap-y-1">
          <span className="font-semibold text-xl" data-testid="run-percent">
            {format.percent(run.progress)}
          </span>
          {typeof run.total_steps === "number" && (
            <span className="text-ink-soft">
              {t("runs.stepOf", { step: run.current_step ?? 0, total: run.total_steps })}
            </span>
          )}
          {isRunning && typeof run.eta_seconds === "number" && (
            <span className="text-ink-soft">{t("runs.remaining", { time: format.duration(run.eta_seconds) })}</span>
          )}
          {seconds !== null && (
            <span className="text-ink-soft">{t("runs.took", { time: format.duration(seconds) })}</span>
          )}
          <span className="ml-auto">
            {stream === "live" && (
              <Badge tone="accent" dot="live">
                {t("runs.live")}
              </Badge>
            )}
            {stream === "waiting" && (
              <Badge tone="amber" dot="live">
                {t("runs.reconnecting")}
              </Badge>
            )}
          </span>
        </div>
        <StateProgress label={t("runs.progress")} state={run.status} value={run.progress} className="h-2" />
      </div>
      <Stages stages={stages} />
      <dl className="flex flex-wrap gap-x-8 gap-y-1 border-line border-t px-5 py-3 text-[0.8125rem]">
        <Fact name={t("runs.base")}>{run.base_model}</Fact>
        <Fact name={t("runs.method")}>
          <span className="uppercase">{run.method}</span>
        </Fact>
        {run.device && <Fact name={t("runs.onDevice")}>{run.device}</Fact>}
        {run.priority !== 0 && <Fact name={t("runs.priority")}>{run.priority}</Fact>}
        {run.queue_position && (
          <Fact name={t("nav.jobs")}>
            <Link to="/jobs" className="text-accent hover:underline">
              {t("runs.queuePlace", { place: run.queue_position })}
            </Link>
          </Fact>
        )}
        {isRunning && typeof newest?.memory_gb === "number" && (
          <Fact name={t("runs.memoryNow")}>{format.number(newest.memory_gb, 2)} GB</Fact>
        )}
        {isRunning && typeof newest?.tokens_per_second === "number" && (
          <Fact name={t("runs.speedNow")}>
            {t("runs.speedValue", { value: format.measure(newest.tokens_per_second) })}
          </Fact>
        )}
        {run.started_at && <Fact name={t("runs.started")}>{format.dateTime(run.started_at)}</Fact>}
        {run.completed_at && <Fact name={t("runs.finished")}>{format.dateTime(run.completed_at)}</Fact>}
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex min-w-0 gap-2">
      <dt className="text-ink-faint">{name}</dt>
      <dd className="numeric min-w-0 break-words">{children}</dd>
    </div>
  );
}

const ICONS: Record<string, typeof Check> = {
  succeeded: Check,
  failed: X,
  cancelled: Ban,
  running: LoaderCircle,
  stopping: LoaderCircle,
};

/** The steps of the job graph: train, evaluate, register, export. */
function Stages({ stages }: { stages: Stage[] }) {
  const { t, known } = useI18n();
  if (stages.length < 2) return null;
  return (
    <ol aria-label={t("runs.stages")} className="flex flex-wrap gap-x-6 gap-y-2 border-line border-t px-5 py-3">
      {stages.map((step) => {
        const Icon = ICONS[step.state] ?? Circle;
        const isBusy = step.state === "running" || step.state === "stopping";
        return (
          <li
            key={step.jobId}
            data-stage={step.kind}
            data-stage-state={step.state}
            className={cn(
              "flex items-center gap-2 text-[0.8125rem] text-ink-soft",
              step.state === "succeeded" && "text-green",
              (step.state === "failed" || step.state === "cancelled") && "text-red",
              isBusy && "font-medium text-accent",
            )}
          >
            <Icon aria-hidden className={cn("size-4", isBusy && "animate-spin")} />
            <span className="text-ink">{known("kinds", step.kind, step.job.name)}</span>
            <span className="text-xs">{known("states", step.state, step.state)}</span>
          </li>
        );
      })}
    </ol>
  );
}
