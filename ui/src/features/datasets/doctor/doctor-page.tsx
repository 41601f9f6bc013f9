import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { datasetQueries, isBusy } from "../queries";
import { useDataset } from "../use-dataset";
import { ClustersPanel } from "./clusters-panel";
import { DoctorSummary } from "./doctor-summary";
import { FindingGroups } from "./finding-groups";
import { FindingList } from "./finding-list";

const route = getRouteApi("/data/$id/doctor");

/** What the doctor found: how much of what, where, and what can be done about it. */
export function DoctorPage() {
  const { t } = useI18n();
  const dataset = useDataset();
  const { severity, code, page = 1, cluster } = route.useSearch();
  const busy = isBusy(dataset);
  const findings = useQuery({ ...datasetQueries.findings(dataset.id, { severity, code, page }), enabled: !busy });

  if (busy) {
    return (
      <Card>
        <SkeletonRows rows={6} />
      </Card>
    );
  }
  return (
    <QueryView query={findings}>
      {(list) => {
        const { counts, groups } = list;
        return (
          <>
            <DoctorSummary dataset={dataset} counts={counts} />
            {groups.length === 0 ? (
              <Card>
                <EmptyState icon={CircleCheck} title={t("data.noFindingsTitle")}>
                  {t("data.noFindingsText")}
                </EmptyState>
              </Card>
            ) : (
              <div className="grid items-start gap-5 lg:grid-cols-[19rem_minmax(0,1fr)]">
                <FindingGroups id={dataset.id} groups={groups} counts={counts} severity={severity} code={code} />
                {cluster !== undefined ? (
                  <ClustersPanel dataset={dataset} page={cluster} />
                ) : (
                  <FindingList
                    key={`${code}-${severity}`}
                    dataset={dataset}
                    findings={list.items}
                    total={list.total}
                    groups={groups}
                    group={groups.find((group) => group.code === code)}
                    page={page}
                  />
                )}
              </div>
            )}
          </>
        );
      }}
    </QueryView>
  );
}
