import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import { useEffect, useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { StateBadge } from "@/components/state-badge";
import { TimeAgo } from "@/components/time-ago";
import { Card } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/field";
import { Progress } from "@/components/ui/progress";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useDebounced } from "@/hooks/use-debounced";
import { useI18n } from "@/i18n";
import { en } from "@/i18n/en";
import { type Job, type JobState, jobQueries, PAGE_SIZE } from "./queries";

const route = getRouteApi("/jobs");
const STATES: JobState[] = ["waiting", "queued", "running", "stopping", "stopped", "succeeded", "failed", "cancelled"];
const KINDS = Object.keys(en.kinds);
const SETTLE_MS = 300;

/** Every job, newest first, by state, kind and name. */
export function JobTable() {
  const { t, known } = useI18n();
  const { page = 1, state, kind, search } = route.useSearch();
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState(search ?? "");
  const settled = useDebounced(typed.trim(), SETTLE_MS);
  const filter = (next: Record<string, string | undefined>) =>
    void navigate({ search: (old) => ({ ...old, page: undefined, ...next }), replace: true });

  // biome-ignore lint/correctness/useExhaustiveDependencies: only what was typed asks for another page
  useEffect(() => {
    if (settled !== (search ?? "")) filter({ search: settled || undefined });
  }, [settled]);

  const jobs = useQuery(jobQueries.list({ page, state: state && [state], kind, search }));
  const isFiltered = Boolean(state || kind || search);
  return (
    <>
      <div className="mb-3 flex flex-wrap gap-2">
        <Input
          type="search"
          className="w-full sm:w-60"
          aria-label={t("jobs.search")}
          placeholder={t("jobs.search")}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Select
          className="w-40"
          aria-label={t("jobs.state")}
          value={state ?? ""}
          onChange={(event) => filter({ state: event.currentTarget.value || undefined })}
        >
          <option value="">{t("jobs.anyState")}</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {known("states", one, one)}
            </option>
          ))}
        </Select>
        <Select
          className="w-40"
          aria-label={t("jobs.kind")}
          value={kind ?? ""}
          onChange={(event) => filter({ kind: event.currentTarget.value || undefined })}
        >
          <option value="">{t("jobs.anyKind")}</option>
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {known("kinds", one, one)}
            </option>
          ))}
        </Select>
      </div>
      <Card className="overflow-hidden">
        <QueryView query={jobs}>
          {(list) =>
            list.items.length === 0 ? (
              <EmptyState icon={ListChecks} title={isFiltered ? t("jobs.noMatchTitle") : t("jobs.emptyTitle")}>
                {isFiltered ? t("jobs.noMatchText") : t("jobs.emptyText")}
              </EmptyState>
            ) : (
              <>
                <Rows jobs={list.items} />
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
    </>
  );
}

function Rows({ jobs }: { jobs: Job[] }) {
  const { t, known, format } = useI18n();
  return (
    <Table label={t("jobs.all")} className="[&_thead_th]:border-t-0">
      <thead>
        <tr>
          <Th>{t("jobs.name")}</Th>
          <Th className="max-sm:hidden">{t("jobs.kind")}</Th>
          <Th>{t("jobs.state")}</Th>
          <Th className="max-md:hidden">{t("jobs.progress")}</Th>
          <Th className="max-sm:hidden">{t("common.created")}</Th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <Tr key={job.id}>
            <Td className="min-w-36">
              <Link
                data-row-link
                to="/jobs/$id"
                params={{ id: String(job.id) }}
                className="font-medium hover:text-accent hover:underline"
              >
                {job.name}
              </Link>
              <span className="numeric ml-2 text-ink-faint">#{job.id}</span>
            </Td>
            <Td className="text-ink-soft max-sm:hidden">{known("kinds", job.kind, job.kind)}</Td>
            <Td>
              <StateBadge state={job.state} />
              {job.position && <span className="numeric ml-2 text-ink-faint">{job.position}</span>}
            </Td>
            <Td className="max-md:hidden">
              <span className="flex items-center gap-2">
                <Progress
                  label={t("jobs.progress")}
                  value={job.progress}
                  tone={job.state === "succeeded" ? "green" : job.state === "failed" ? "red" : "accent"}
                  className="w-20"
                />
                <span className="numeric">{format.percent(job.progress)}</span>
              </span>
            </Td>
            <Td className="text-ink-soft max-sm:hidden">
              <TimeAgo time={job.created_at} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
