import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { PagePending } from "@/components/shell/page-pending";
import { StateBadge } from "@/components/state-badge";
import { useI18n } from "@/i18n";
import { CheckpointsCard } from "./checkpoints-card";
import { CurvesCard } from "./curves-card";
import { LogCard } from "./log-card";
import { isStopping, type Run, runQueries } from "./queries";
import { RunActions } from "./run-actions";
import { RunFailure, RunWarnings } from "./run-failure";
import { RunProgress } from "./run-progress";
import { RunResult } from "./run-result";
import { SamplesCard } from "./samples-card";
import { useLiveRun } from "./use-live-run";
import { useStages } from "./use-stages";

const route = getRouteApi("/runs/$id");

export function RunPage() {
  const { t } = useI18n();
  const id = Number(route.useParams().id);
  const run = useQuery(runQueries.detail(id));
  const trail = (
    <Link to="/runs" className="hover:text-accent hover:underline">
      {t("runs.title")}
    </Link>
  );
  if (run.data) return <LoadedRun key={id} run={run.data} trail={trail} />;
  if (!run.isError) return <PagePending />;
  return (
    <Page title={t("runs.oneTitle")} trail={trail}>
      <ProblemNotice error={run.error} onRetry={() => void run.refetch()} />
    </Page>
  );
}

function LoadedRun({ run, trail }: { run: Run; trail: React.ReactNode }) {
  const stages = useStages(run);
  const { metrics, lines, stream, isLoading } = useLiveRun(run);
  return (
    <Page
      title={run.job_name}
      trail={trail}
      badge={
        <>
          <StateBadge state={isStopping(run) ? "stopping" : run.status} />
          <span className="numeric text-ink-faint">#{run.id}</span>
        </>
      }
      actions={<RunActions run={run} stages={stages} />}
    >
      <div className="space-y-6">
        <RunFailure run={run} />
        <RunWarnings warnings={run.warnings} />
        <RunProgress run={run} stages={stages} stream={stream} newest={metrics.at(-1)} />
        <RunResult run={run} stages={stages} />
        <CurvesCard metrics={metrics} isLoading={isLoading} />
        <SamplesCard id={run.id} isLive={run.status === "running"} />
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <LogCard lines={lines} />
          <CheckpointsCard run={run} />
        </div>
      </div>
    </Page>
  );
}
