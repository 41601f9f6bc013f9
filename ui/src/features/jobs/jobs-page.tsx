import { getRouteApi } from "@tanstack/react-router";
import { Page } from "@/components/page";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import { JobTable } from "./job-table";
import { QueueView } from "./queue-view";

const route = getRouteApi("/jobs");

export function JobsPage() {
  const { t } = useI18n();
  const { view = "queue" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title={t("jobs.title")} description={t("jobs.description")}>
      <Segmented<"queue" | "all">
        className="mb-4"
        label={t("jobs.view")}
        value={view}
        options={[
          { value: "queue", label: t("jobs.queue") },
          { value: "all", label: t("jobs.all") },
        ]}
        onChange={(next) => void navigate({ search: { view: next === "queue" ? undefined : next } })}
      />
      {view === "queue" ? <QueueView /> : <JobTable />}
    </Page>
  );
}
