import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ListChecks, SlidersHorizontal } from "lucide-react";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { PagePending } from "@/components/shell/page-pending";
import { StateBadge } from "@/components/state-badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import { DatasetSummary } from "./dataset-summary";
import { FindingsPanel } from "./findings-panel";
import { datasetQueries, useValidateDataset } from "./queries";
import { RowsPanel } from "./rows-panel";
import { SplitPanel } from "./split-panel";

const route = getRouteApi("/data/$id");

export function DatasetPage() {
  const { t } = useI18n();
  const id = Number(route.useParams().id);
  const { view = "findings" } = route.useSearch();
  const navigate = route.useNavigate();
  const dataset = useQuery(datasetQueries.detail(id));
  const validate = useValidateDataset(id);
  const trail = (
    <Link to="/data" className="hover:text-accent hover:underline">
      {t("data.title")}
    </Link>
  );

  if (dataset.isError && !dataset.data) {
    return (
      <Page title={t("data.oneTitle")} trail={trail}>
        <ProblemNotice error={dataset.error} onRetry={() => void dataset.refetch()} />
      </Page>
    );
  }
  if (!dataset.data) return <PagePending />;
  const { name, version, status } = dataset.data;

  return (
    <Page
      title={name}
      trail={trail}
      badge={
        <>
          <span className="text-ink-faint">{version}</span>
          <StateBadge state={status} />
        </>
      }
      actions={
        <>
          <Button pending={validate.isPending} onClick={() => validate.mutate()}>
            <ListChecks aria-hidden />
            {t("data.checkAgain")}
          </Button>
          {status === "ready" && (
            <Button asChild variant="primary">
              <Link to="/train" search={{ dataset: id }}>
                <SlidersHorizontal aria-hidden />
                {t("data.trainWithThis")}
              </Link>
            </Button>
          )}
        </>
      }
    >
      {validate.isError && <ProblemNotice error={validate.error} className="mb-6" />}
      <DatasetSummary dataset={dataset.data} />
      <Segmented
        className="mt-8 mb-3"
        label={t("data.views")}
        value={view}
        options={[
          { value: "findings", label: t("data.findings") },
          { value: "rows", label: t("data.rowsView") },
          { value: "split", label: t("data.split") },
        ]}
        onChange={(next) => void navigate({ search: { view: next === "findings" ? undefined : next } })}
      />
      <Card className="overflow-hidden">
        {view === "findings" && <FindingsPanel dataset={dataset.data} />}
        {view === "rows" && <RowsPanel id={id} />}
        {view === "split" && <SplitPanel dataset={dataset.data} />}
      </Card>
    </Page>
  );
}
