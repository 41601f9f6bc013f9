import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { FindingFilters } from "./finding-filters";
import { FindingItem } from "./finding-item";
import { type Dataset, datasetQueries, type FindingCounts, PAGE_SIZE } from "./queries";

const route = getRouteApi("/data/$id");

/** What the doctor found, row by row: what was expected, what is there, and how to mend it. */
export function FindingsPanel({ dataset }: { dataset: Dataset }) {
  const { t } = useI18n();
  const { severity, code, page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const isBusy = dataset.status === "uploaded" || dataset.status === "validating";
  const findings = useQuery({ ...datasetQueries.findings(dataset.id, { severity, code, page }), enabled: !isBusy });

  if (isBusy) {
    return (
      <div role="status">
        <p className="px-5 pt-4 text-ink-soft">{t("data.checking")}</p>
        <SkeletonRows />
      </div>
    );
  }
  return (
    <QueryView query={findings}>
      {(list) => {
        const counts = list.counts as unknown as FindingCounts;
        const { red, amber, green } = counts;
        if (red + amber + green === 0) {
          return (
            <EmptyState icon={CircleCheck} title={t("data.noFindingsTitle")}>
              {t("data.noFindingsText")}
            </EmptyState>
          );
        }
        return (
          <>
            <FindingFilters counts={counts} severity={severity} code={code} />
            {list.items.length === 0 ? (
              <p className="px-5 py-10 text-center text-ink-soft">{t("data.noFindingsHere")}</p>
            ) : (
              <ul data-testid="findings" className="divide-y divide-line">
                {list.items.map((finding) => (
                  <FindingItem key={`${finding.code}-${finding.row}-${finding.pointer}`} finding={finding} />
                ))}
              </ul>
            )}
            <Pagination
              page={page}
              pageSize={PAGE_SIZE}
              total={list.total}
              onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
            />
          </>
        );
      }}
    </QueryView>
  );
}
