import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { PagedList } from "@/components/paged-list";
import { SearchField } from "@/components/search-field";
import { StateBadge } from "@/components/state-badge";
import { StateProgressCell } from "@/components/state-progress";
import { TimeAgo } from "@/components/time-ago";
import { Card } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { en } from "@/i18n/en";
import { type Job, type JobState, jobQueries, PAGE_SIZE } from "./queries";

const route = getRouteApi("/jobs");
const STATES: JobState[] = ["waiting", "queued", "running", "stopping", "stopped", "succeeded", "failed", "cancelled"];
const KINDS = Object.keys(en.kinds);

/** Every job, newest first, by state, kind and name. */
export function JobTable() {
  const { t, known } = useI18n();
  const { page = 1, state, kind, search } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = (next: Record<string, string | undefined>) =>
    void navigate({ search: (old) => ({ ...old, page: undefined, ...next }), replace: true });

  const jobs = useQuery(jobQueries.list({ page, state: state && [state], kind, search }));
  const isFiltered = Boolean(state || kind || search);
  return (
    <>
      <div className="mb-3 flex flex-wrap gap-2">
        <SearchField
          className="w-full sm:w-60"
          label={t("jobs.search")}
          value={search}
          onSearch={(text) => filter({ search: text || undefined })}
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
        <PagedList
          query={jobs}
          page={page}
          pageSize={PAGE_SIZE}
          onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
          empty={
            <EmptyState icon={ListChecks} title={isFiltered ? t("jobs.noMatchTitle") : t("jobs.emptyTitle")}>
              {isFiltered ? t("jobs.noMatchText") : t("jobs.emptyText")}
            </EmptyState>
          }
        >
          {(items) => <Rows jobs={items} />}
        </PagedList>
      </Card>
    </>
  );
}

function Rows({ jobs }: { jobs: Job[] }) {
  const { t, known } = useI18n();
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
              <StateProgressCell label={t("jobs.progress")} state={job.state} value={job.progress} />
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
