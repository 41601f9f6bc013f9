import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Activity, GitCompare, Plus } from "lucide-react";
import { useEffect, useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Input } from "@/components/ui/field";
import { Progress } from "@/components/ui/progress";
import { Segmented } from "@/components/ui/segmented";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useDebounced } from "@/hooks/use-debounced";
import { useI18n } from "@/i18n";
import { PAGE_SIZE, type Run, type RunState, runQueries } from "./queries";

const route = getRouteApi("/runs");
const STATES: readonly RunState[] = ["pending", "running", "completed", "stopped", "failed"];
const SETTLE_MS = 300;

export function RunListPage() {
  const { t, known } = useI18n();
  const { page = 1, status, search } = route.useSearch();
  const navigate = route.useNavigate();
  const runs = useQuery(runQueries.list({ page, status, search }));
  const [picked, setPicked] = useState<readonly number[]>([]);
  const [typed, setTyped] = useState(search ?? "");
  const settled = useDebounced(typed.trim(), SETTLE_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what was typed asks for another page
  useEffect(() => {
    if (settled !== (search ?? ""))
      void navigate({ search: (old) => ({ ...old, page: undefined, search: settled || undefined }), replace: true });
  }, [settled]);
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
        <Input
          type="search"
          className="w-full sm:w-56"
          aria-label={t("runs.search")}
          placeholder={t("runs.search")}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <div className="max-w-full overflow-x-auto">
          <Segmented<RunState | "all">
            label={t("runs.state")}
            value={status ?? "all"}
            options={[
              { value: "all", label: t("runs.anyState") },
              ...STATES.map((state) => ({ value: state, label: known("states", state, state) })),
            ]}
            onChange={(next) =>
              void navigate({
                search: (old) => ({ ...old, page: undefined, status: next === "all" ? undefined : next }),
              })
            }
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
        <QueryView query={runs}>
          {(list) =>
            list.items.length === 0 ? (
              <EmptyState
                icon={Activity}
                title={isFiltered ? t("runs.noMatchTitle") : t("runs.emptyTitle")}
                action={!isFiltered && newRun}
              >
                {isFiltered ? t("runs.noMatchText") : t("runs.emptyText")}
              </EmptyState>
            ) : (
              <>
                <RunTable runs={list.items} picked={picked} onPick={toggle} />
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

interface RunTableProps {
  runs: Run[];
  picked: readonly number[];
  onPick: (id: number) => void;
}

function RunTable({ runs, picked, onPick }: RunTableProps) {
  const { t, format } = useI18n();
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
              <span className="flex items-center gap-2">
                <Progress
                  label={t("runs.progress")}
                  value={run.progress}
                  tone={run.status === "failed" ? "red" : run.status === "completed" ? "green" : "accent"}
                  className="w-20"
                />
                <span className="numeric max-sm:hidden">{format.percent(run.progress)}</span>
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
