import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { SlidersHorizontal } from "lucide-react";
import { Suspense } from "react";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { PagePending } from "@/components/shell/page-pending";
import { StateBadge } from "@/components/state-badge";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { CheckProgress } from "./check-progress";
import { DatasetFacts } from "./dataset-facts";
import { DatasetTabs } from "./dataset-tabs";
import { DerivationNotice } from "./derivation-notice";
import { DownloadMenu } from "./download-menu";
import { datasetQueries } from "./queries";

/** What all tabs of a dataset share: its name and state, what can be done with it, and the way between the tabs. */
export function DatasetPage() {
  const { t } = useI18n();
  const id = Number(useParams({ from: "/data/$id" }).id);
  const dataset = useQuery(datasetQueries.detail(id));
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
          <span className="numeric text-ink-faint">{version}</span>
          <StateBadge state={status} />
        </>
      }
      description={<DatasetFacts dataset={dataset.data} />}
      actions={
        <>
          <DownloadMenu dataset={dataset.data} />
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
      <CheckProgress dataset={dataset.data} />
      <DerivationNotice dataset={dataset.data} />
      <DatasetTabs dataset={dataset.data} />
      <Suspense fallback={<SkeletonRows />}>
        <Outlet />
      </Suspense>
    </Page>
  );
}
