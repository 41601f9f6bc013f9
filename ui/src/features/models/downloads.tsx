import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCw, X } from "lucide-react";
import { useEffect, useState } from "react";
import { call } from "@/api/call";
import { isActive, type Job } from "@/api/jobs";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Progress } from "@/components/ui/progress";
import { useJobProgress } from "@/hooks/use-job-progress";
import { useI18n } from "@/i18n";
import { modelOf, modelQueries, openDownloads } from "./queries";

/** Downloads that go on, or that can be gone on with. The server keeps them, so a refresh loses none. */
export function Downloads() {
  const queries = useQueryClient();
  const jobs = useQuery(modelQueries.downloads());
  const arrived = jobs.data?.items.filter((job) => job.state === "succeeded").length;
  useEffect(() => {
    if (arrived) void queries.invalidateQueries({ queryKey: [...modelQueries.all(), "list"] });
  }, [arrived, queries]);
  const [hidden, setHidden] = useState<number[]>([]);
  const open = openDownloads(jobs.data?.items ?? []).filter((job) => !hidden.includes(job.id));
  if (open.length === 0) return null;
  return (
    <ul className="space-y-2 px-5 pb-4" data-testid="downloads">
      {open.map((job) => (
        <DownloadRow key={job.id} job={job} onHide={() => setHidden((ids) => [...ids, job.id])} />
      ))}
    </ul>
  );
}

function DownloadRow({ job, onHide }: { job: Job; onHide: () => void }) {
  const { t, format } = useI18n();
  const queries = useQueryClient();
  const refresh = () => void queries.invalidateQueries({ queryKey: modelQueries.all() });
  const active = isActive(job.state);
  const { share, step, total, etaSeconds } = useJobProgress(job.id, active, refresh);
  const act = useMutation({
    mutationFn: (verb: "cancel" | "retry") => call("POST", `/api/v1/admin/jobs/${job.id}/${verb}`),
    onSettled: refresh,
  });
  const name = modelOf(job);
  return (
    <li role="status" className="rounded-lg border border-line bg-sunken/50 px-4 py-3">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="min-w-0 break-words font-medium text-[0.875rem]">
          {t(
            active ? "models.downloading" : job.state === "failed" ? "models.downloadFailed" : "models.downloadStopped",
            {
              name,
            },
          )}
        </p>
        <p className="numeric flex items-center gap-2 text-ink-soft text-xs">
          {active && total !== null && (
            <span>
              {format.bytes(step * 1024)} / {format.bytes(total * 1024)}
            </span>
          )}
          {active && etaSeconds !== null && <span>{t("common.timeLeft", { time: format.duration(etaSeconds) })}</span>}
          {active ? (
            <Button size="small" variant="ghost" pending={act.isPending} onClick={() => act.mutate("cancel")}>
              {t("common.cancel")}
            </Button>
          ) : (
            <>
              <Button size="small" pending={act.isPending} onClick={() => act.mutate("retry")}>
                <RotateCw aria-hidden />
                {t("models.resume")}
              </Button>
              <Button size="small" variant="ghost" aria-label={t("models.hide")} onClick={onHide}>
                <X aria-hidden />
              </Button>
            </>
          )}
        </p>
      </div>
      {active && <Progress label={t("models.downloading", { name })} value={share} className="mt-2.5" />}
      {job.state === "failed" && job.error && <p className="mt-1 text-[0.8125rem] text-red">{job.error.message}</p>}
      {act.isError && <ProblemNotice error={act.error} className="mt-2" />}
    </li>
  );
}
