import { useQuery } from "@tanstack/react-query";
import { Page } from "@/components/page";
import { datasetQueries } from "@/features/datasets/queries";
import { registryQueries } from "@/features/registry/queries";
import { runQueries } from "@/features/training/queries";
import { useI18n } from "@/i18n";
import { LatestData, LatestVersions } from "./latest";
import { MachineCard } from "./machine-card";
import { NextStep } from "./next-step";
import { RunsCard } from "./runs-card";

const SHOWN = 5;

/** Where things stand, and what to do next. */
export function HomePage() {
  const { t } = useI18n();
  const datasets = useQuery(datasetQueries.list({ page: 1, page_size: SHOWN }));
  const runs = useQuery(runQueries.list({ page: 1, page_size: SHOWN }));
  const versions = useQuery(registryQueries.list({ page: 1, page_size: SHOWN }));
  return (
    <Page title={t("home.title")} description={t("home.description")}>
      <div className="space-y-6">
        <NextStep datasets={datasets.data} runs={runs.data} versions={versions.data} />
        <div className="grid items-start gap-6 lg:grid-cols-[1.6fr_1fr]">
          <div className="min-w-0 space-y-6">
            <RunsCard runs={runs} />
            <LatestData datasets={datasets} />
          </div>
          <div className="min-w-0 space-y-6">
            <LatestVersions versions={versions} />
            <MachineCard />
          </div>
        </div>
      </div>
    </Page>
  );
}
