import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Activity, GitCompare, Plus } from "lucide-react";
import { useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { PagedList } from "@/components/paged-list";
import { SearchField } from "@/components/search-field";
import { StateBadge } from "@/components/state-badge";
import { StateProgressCell } from "@/components/state-progress";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { PAGE_SIZE, type Run, type RunState, runQueries } from "./queries";

const route = getRouteApi("/runs");
const STATES: readonly RunState[] = ["pending", "running", "completed", "stopped", "failed"];

export function RunListPage() {
  const { t, known } = useI18n();
  const { page = 1, status, search } = route.useSearch();
  const navigate = route.useNavigate();
  const runs = useQuery(runQueries.list({ page, status, search }));
  const [picked, setPicked] = useState<readonly number[]>([]);
  const filter = (next: { status?: RunState; search?: string }) =>
    void navigate({ search: (old) => ({ ...old, page: undefined, ...next }), replace: true });
  const toggle = (id: number) =>
    setPicked((old) => (old.includes(id) ? old.filter((one) => one !== id) : [...old, id]));
  const isFiltered = Boolean(status || search);
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
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <SearchField
          className="w-full sm:w-56"
          label={t("runs.search")}
          value={search}
          onSearch={(text) => filter({ search: text || undefined })}
        />
        <div className="max-w-full overflow-x-auto">
          <Segmented<RunState | "all">
            label={t("runs.state")}
            value={status ?? "all"}
            options={[
              { value: "all", label: t("runs.anyState") },
              ...STATES.map((state) => ({ value: state, label: known("states", state, state) })),
            ]}
            onChange={(next) => filter({ status: next === "all" ? undefined : next })}
          />
        </div>
        {picked.length > 1 ? (
          <Button asChild className="ml-auto">
            <Link to="/runs/compare" search={{ ids: picked.join(",") }}>
              <GitCompare aria-hidden />
              {t("compare.compare", { count: picked.length })}
            </Link>
          </Button>
        ) : (
          (runs.data?.total ?? 0) > 1 && <p className="ml-auto text-ink-faint text-xs">{t("compare.pickHint")}</p>
        )}
      </div>
      <Card className="overflow-hidden">
        <PagedList
          query={runs}
          page={page}
          pageSize={PAGE_SIZE}
          onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
          empty={
            <EmptyState
              icon={Activity}
              title={isFiltered ? t("runs.noMatchTitle") : t("runs.emptyTitle")}
              action={!isFiltered && newRun}
            >
              {isFiltered ? t("runs.noMatchText") : t("runs.emptyText")}
            </EmptyState>
          }
        >
          {(items) => <RunTable runs={items} picked={picked} onPick={toggle} />}
        </PagedList>
      </Card>
    </Page>
  );
}

interface RunTableProps {
  runs: Run[];
  picked: readonly number[];
  onPick: (id: number) => void;
}

function RunTable({ runs, picked, onPick }: RunTableProps) {
  const { t } = useI18n();
  return (
    <Table label={t("runs.title")} className="[&_thead_th]:border-t-0">
      <thead>
        <tr>
          <Th className="w-8">
            <span className="sr-only">{t("compare.title")}</span>
          </Th>
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
            <Td className="relative z-10 pr-0 align-middle">
              <input
                type="checkbox"
                className="block size-4 accent-accent"
                aria-label={t("compare.pick", { name: `${run.job_name} #${run.id}` })}
                checked={picked.includes(run.id)}
                onChange={() => onPick(run.id)}
              />
            </Td>
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
              {run.queue_position && <span className="numeric ml-2 text-ink-faint">{run.queue_position}</span>}
            </Td>
            <Td>
              <StateProgressCell label={t("runs.progress")} state={run.status} value={run.progress} />
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
