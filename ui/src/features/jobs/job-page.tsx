import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { isActive } from "@/api/jobs";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { PagePending } from "@/components/shell/page-pending";
import { StateBadge } from "@/components/state-badge";
import { StateProgress } from "@/components/state-progress";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { JobActions } from "./job-actions";
import { type Job, jobQueries } from "./queries";

const route = getRouteApi("/jobs/$id");

export function JobPage() {
  const { t } = useI18n();
  const id = Number(route.useParams().id);
  const job = useQuery(jobQueries.detail(id));
  const trail = (
    <Link to="/jobs" className="hover:text-accent hover:underline">
      {t("jobs.title")}
    </Link>
  );
  if (job.data) return <LoadedJob key={id} job={job.data} trail={trail} />;
  if (!job.isError) return <PagePending />;
  return (
    <Page title={t("jobs.oneTitle")} trail={trail}>
      <ProblemNotice error={job.error} onRetry={() => void job.refetch()} />
    </Page>
  );
}

function LoadedJob({ job, trail }: { job: Job; trail: React.ReactNode }) {
  const { t, known, format } = useI18n();
  const logs = useQuery(jobQueries.logs(job.id, isActive(job.state)));
  const facts: [string, React.ReactNode][] = [
    [t("jobs.kind"), known("kinds", job.kind, job.kind)],
    [t("jobs.priority"), job.priority],
    ...(job.position ? [[t("jobs.place"), job.position] as [string, React.ReactNode]] : []),
    ...(job.device ? [[t("jobs.device"), job.device] as [string, React.ReactNode]] : []),
    [t("jobs.attempt"), job.attempt],
    ...(job.started_at ? [[t("jobs.started"), format.dateTime(job.started_at)] as [string, React.ReactNode]] : []),
    ...(job.finished_at ? [[t("jobs.finished"), format.dateTime(job.finished_at)] as [string, React.ReactNode]] : []),
  ];
  return (
    <Page
      title={job.name}
      trail={trail}
      badge={
        <>
          <StateBadge state={job.state} />
          <span className="numeric text-ink-faint">#{job.id}</span>
        </>
      }
      actions={
        <>
          {job.kind === "train" && (
            <Button asChild>
              <Link to="/runs/$id" params={{ id: String(job.id) }}>
                {t("jobs.openRun")}
              </Link>
            </Button>
          )}
          <JobActions job={job} size="medium" />
        </>
      }
    >
      <div className="space-y-6">
        {job.error && (
          <div role="alert" className="rounded-xl border border-red/30 bg-red-soft p-4 text-[0.8125rem]">
            <p className="font-medium text-red">{job.error.message}</p>
            {job.error.hint && <p className="mt-1">{job.error.hint}</p>}
          </div>
        )}
        <Card>
          <div className="px-5 py-4">
            <div className="numeric mb-2 flex flex-wrap items-baseline gap-x-4">
              <span className="font-semibold text-xl">{format.percent(job.progress)}</span>
              {job.message && <span className="text-ink-soft">{job.message}</span>}
            </div>
            <StateProgress label={t("jobs.progress")} state={job.state} value={job.progress} />
          </div>
          <dl className="flex flex-wrap gap-x-8 gap-y-1 border-line border-t px-5 py-3 text-[0.8125rem]">
            {facts.map(([name, value]) => (
              <div key={name} className="flex min-w-0 gap-2">
                <dt className="text-ink-faint">{name}</dt>
                <dd className="numeric min-w-0 break-words">{value}</dd>
              </div>
            ))}
          </dl>
        </Card>
        <Card className="overflow-hidden">
          <CardHeader title={t("jobs.log")} />
          <div
            role="log"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
            tabIndex={0}
            aria-label={t("jobs.log")}
            className="max-h-80 overflow-auto border-line border-t bg-sunken/60 px-4 py-3 font-mono text-xs leading-5"
          >
            {(logs.data ?? []).length === 0 && <p className="text-ink-faint">{t("jobs.noLog")}</p>}
            {logs.data?.map((line) => (
              <p key={line.offset} className="flex gap-3">
                <time dateTime={line.at} className="shrink-0 text-ink-faint">
                  {format.clock(line.at)}
                </time>
                <span className="min-w-0 whitespace-pre-wrap break-words">{line.message}</span>
              </p>
            ))}
          </div>
        </Card>
        {job.result && <Document title={t("jobs.result")} value={job.result} />}
        <Document title={t("jobs.spec")} value={job.spec} />
      </div>
    </Page>
  );
}

function Document({ title, value }: { title: string; value: unknown }) {
  return (
    <Card className="overflow-hidden">
      <details>
        <summary className="cursor-pointer px-5 py-4 font-semibold text-[0.9375rem]">{title}</summary>
        <pre className="max-h-96 overflow-auto border-line border-t bg-sunken/60 px-4 py-3 font-mono text-xs leading-5">
          {JSON.stringify(value, null, 2)}
        </pre>
      </details>
    </Card>
  );
}
