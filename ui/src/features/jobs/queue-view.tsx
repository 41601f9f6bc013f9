import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, Hourglass } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Progress } from "@/components/ui/progress";
import { useI18n } from "@/i18n";
import { JobActions } from "./job-actions";
import { type Job, jobQueries, useJobPriority } from "./queries";

const MOST = 200;
const STEP = 10;
const ENDS = 100;

/** What runs on which device, and what waits in which order. */
export function QueueView() {
  const { t } = useI18n();
  const queues = useQuery(jobQueries.queues());
  const moving = useQuery(
    jobQueries.list({ page: 1, page_size: MOST, state: ["waiting", "queued", "running", "stopping"] }),
  );
  const jobs = moving.data?.items ?? [];
  const waiting = jobs.filter((job) => job.state === "queued" || job.state === "waiting").sort(byPlace);
  const nameOf = (id: number) => jobs.find((job) => job.id === id);
  return (
    <div className="space-y-6">
      <Card>
        <CardHeader title={t("jobs.running")} description={t("jobs.order")} />
        <QueryView query={queues}>
          {(answer) => (
            <ul className="divide-y divide-line border-line border-t" data-testid="devices">
              {answer.queues.length === 1 && answer.queues[0]?.slots === 0 && (
                <li className="bg-amber-soft px-5 py-3 text-[0.8125rem] text-amber">{t("jobs.noWorker")}</li>
              )}
              {answer.queues.map((queue) => (
                <li key={queue.name} className="px-5 py-3">
                  <div className="flex items-baseline justify-between gap-3">
                    <span className="min-w-0 break-words font-medium">
                      {queue.name === "shared" ? t("jobs.shared") : queue.name}
                    </span>
                    {queue.slots > 0 && (
                      <span className="numeric shrink-0 text-ink-faint text-xs">
                        {t("jobs.slots", { used: queue.in_use, total: queue.slots })}
                      </span>
                    )}
                  </div>
                  {queue.in_use === 0 && (
                    <p className="text-[0.8125rem] text-ink-faint">{t(queue.slots > 0 ? "jobs.free" : "jobs.busy")}</p>
                  )}
                  {queue.running.map((id) => (
                    <Running key={id} id={id} job={nameOf(id)} />
                  ))}
                </li>
              ))}
            </ul>
          )}
        </QueryView>
      </Card>
      <Card>
        <CardHeader title={t("jobs.waiting")} />
        <QueryView query={moving}>
          {() =>
            waiting.length === 0 ? (
              <EmptyState icon={Hourglass} title={t("jobs.queueEmptyTitle")}>
                {t("jobs.queueEmptyText")}
              </EmptyState>
            ) : (
              <ol className="divide-y divide-line border-line border-t" data-testid="queue">
                {waiting.map((job) => (
                  <Waiting key={job.id} job={job} />
                ))}
              </ol>
            )
          }
        </QueryView>
      </Card>
    </div>
  );
}

function byPlace(one: Job, other: Job): number {
  return (one.position ?? Number.MAX_SAFE_INTEGER) - (other.position ?? Number.MAX_SAFE_INTEGER) || one.id - other.id;
}

function Running({ id, job }: { id: number; job: Job | undefined }) {
  const { t, known, format } = useI18n();
  return (
    <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-[0.8125rem]">
      <JobLink id={id} name={job?.name ?? `#${id}`} />
      {job && (
        <>
          <span className="text-ink-faint">{known("kinds", job.kind, job.kind)}</span>
          <Progress label={t("jobs.progress")} value={job.progress} className="w-24" />
          <span className="numeric text-ink-soft">{format.percent(job.progress)}</span>
        </>
      )}
    </div>
  );
}

function Waiting({ job }: { job: Job }) {
  const { t, known, format } = useI18n();
  const priority = useJobPriority();
  const move = (by: number) =>
    priority.mutate({ id: job.id, priority: Math.max(-ENDS, Math.min(ENDS, job.priority + by)) });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-5 py-3" data-place={job.position ?? ""}>
      <span className="numeric w-8 shrink-0 font-semibold text-lg text-ink-faint">{job.position ?? "–"}</span>
      <span className="min-w-40 flex-1">
        <JobLink id={job.id} name={job.name} />
        <span className="block text-ink-faint text-xs">
          {known("kinds", job.kind, job.kind)}
          {job.priority !== 0 && ` · ${t("jobs.priority")} ${job.priority}`}
          {job.state === "waiting" && ` · ${t("jobs.waitsFor")}`}
          {job.start_after && ` · ${t("jobs.later_at", { time: format.dateTime(job.start_after) })}`}
        </span>
      </span>
      <span className="flex items-center gap-1">
        <Button
          size="icon"
          variant="ghost"
          aria-label={t("jobs.sooner")}
          title={t("jobs.sooner")}
          onClick={() => move(STEP)}
        >
          <ArrowUp aria-hidden />
        </Button>
        <Button
          size="icon"
          variant="ghost"
          aria-label={t("jobs.later")}
          title={t("jobs.later")}
          onClick={() => move(-STEP)}
        >
          <ArrowDown aria-hidden />
        </Button>
        <JobActions job={job} />
      </span>
    </li>
  );
}

function JobLink({ id, name }: { id: number; name: string }) {
  return (
    <Link to="/jobs/$id" params={{ id: String(id) }} className="font-medium hover:text-accent hover:underline">
      {name}
    </Link>
  );
}
