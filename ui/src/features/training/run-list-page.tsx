import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Activity, Plus } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Progress } from "@/components/ui/progress";
import { Segmented } from "@/components/ui/segmented";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { PAGE_SIZE, type Run, type RunState, runQueries } from "./queries";

const route = getRouteApi("/runs");
const STATES: readonly RunState[] = ["running", "completed", "stopped", "failed"];

export function RunListPage() {
  const { t, known } = useI18n();
  const { page = 1, status } = route.useSearch();
  const navigate = route.useNavigate();
  const runs = useQuery(runQueries.list({ page, status }));
  const newRun = (
    <Button asChild variant="primary">
      <Link to="/train">
        <Plus aria-hidden />
        {t("runs.newRun")}
      </Link>
    </Button>
  );
  return (
    <Page title={t("runs.title")} description={t("runs.description")} actions={newRun}>
      <div className="mb-3 overflow-x-auto">
        <Segmented<RunState | "all">
          label={t("runs.state")}
          value={status ?? "all"}
          options={[
            { value: "all", label: t("runs.anyState") },
            ...STATES.map((state) => ({ value: state, label: known("states", state, state) })),
          ]}
          onChange={(next) => void navigate({ search: { status: next === "all" ? undefined : next } })}
        />
      </div>
      <Card className="overflow-hidden">
        <QueryView query={runs}>
          {(list) =>
            list.items.length === 0 ? (
              <EmptyState
                icon={Activity}
                title={status ? t("runs.noMatchTitle") : t("runs.emptyTitle")}
                action={!status && newRun}
              >
                {status ? t("runs.noMatchText") : t("runs.emptyText")}
              </EmptyState>
            ) : (
              <>
                <RunTable runs={list.items} />
                <Pagination
                  page={page}
                  pageSize={PAGE_SIZE}
                  total={list.total}
                  onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
                />
              </>
            )
          }
        </QueryView>
      </Card>
    </Page>
  );
}

function RunTable({ runs }: { runs: Run[] }) {
  const { t, format } = useI18n();
  return (
    <Table label={t("runs.title")} className="[&_thead_th]:border-t-0">
      <thead>
        <tr>
          <Th>{t("runs.name")}</Th>
          <Th>{t("runs.state")}</Th>
          <Th>{t("runs.progress")}</Th>
          <Th className="max-md:hidden">{t("runs.base")}</Th>
          <Th className="max-md:hidden">{t("runs.method")}</Th>
          <Th className="max-sm:hidden">{t("common.created")}</Th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Tr key={run.id}>
            <Td className="min-w-36">
              <Link
                data-row-link
                to="/runs/$id"
                params={{ id: String(run.id) }}
                className="font-medium hover:text-accent hover:underline"
              >
                {run.job_name}
              </Link>
              <span className="numeric ml-2 text-ink-faint">#{run.id}</span>
            </Td>
            <Td>
              <StateBadge state={run.status} />
            </Td>
            <Td>
              <span className="flex items-center gap-2">
                <Progress
                  label={t("runs.progress")}
                  value={run.progress}
                  tone={run.status === "failed" ? "red" : run.status === "completed" ? "green" : "accent"}
                  className="w-20"
                />
                <span className="numeric">{format.percent(run.progress)}</span>
              </span>
            </Td>
            <Td className="text-ink-soft max-md:hidden">{run.base_model}</Td>
            <Td className="text-ink-soft uppercase max-md:hidden">{run.method}</Td>
            <Td className="text-ink-soft max-sm:hidden">
              <TimeAgo time={run.created_at} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
