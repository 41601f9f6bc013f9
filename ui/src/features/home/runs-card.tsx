import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import type { Schema } from "@/api/client";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Card, CardHeader } from "@/components/ui/card";
import { Progress } from "@/components/ui/progress";
import { useI18n } from "@/i18n";

type Run = Schema<"FinetuningJobResponse">;

export function RunsCard({ runs }: { runs: UseQueryResult<Schema<"FinetuningJobListResponse">> }) {
  const { t } = useI18n();
  return (
    <Card>
      <CardHeader
        title={t("home.runs")}
        action={
          runs.data &&
          runs.data.total > 0 && (
            <Link to="/runs" className="text-[0.8125rem] text-accent hover:underline">
              {t("home.allRuns", { count: runs.data.total })}
            </Link>
          )
        }
      />
      <QueryView query={runs}>
        {(list) =>
          list.items.length === 0 ? (
            <EmptyState icon={Activity} title={t("runs.emptyTitle")}>
              {t("runs.emptyText")}
            </EmptyState>
          ) : (
            <ul className="divide-y divide-line border-line border-t">
              {list.items.map((run) => (
                <RunRow key={run.id} run={run} />
              ))}
            </ul>
          )
        }
      </QueryView>
    </Card>
  );
}

function RunRow({ run }: { run: Run }) {
  const { t, format } = useI18n();
  const isRunning = run.status === "running";
  return (
    <li className="px-5 py-3">
      <div className="flex items-center justify-between gap-3">
        <Link
          to="/runs/$id"
          params={{ id: String(run.id) }}
          className="min-w-0 truncate font-medium hover:text-accent hover:underline"
        >
          {run.job_name}
        </Link>
        <StateBadge state={run.status} />
      </div>
      <p className="numeric mt-0.5 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
        <span className="min-w-0 truncate">{run.base_model}</span>
        {isRunning && run.total_steps ? (
          <span>{t("runs.stepOf", { step: run.current_step ?? 0, total: run.total_steps })}</span>
        ) : (
          <TimeAgo time={run.created_at} />
        )}
        {isRunning && typeof run.eta_seconds === "number" && (
          <span>{t("runs.remaining", { time: format.duration(run.eta_seconds) })}</span>
        )}
      </p>
      {isRunning && <Progress label={t("runs.progress")} value={run.progress} className="mt-2" />}
    </li>
  );
}
