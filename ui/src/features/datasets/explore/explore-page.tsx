import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { QueryView } from "@/components/query-view";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { useDataset } from "../use-dataset";
import { ColumnCard } from "./column-card";
import { ColumnList } from "./column-list";
import { CorrelationCard } from "./correlation-card";
import { MissingCard } from "./missing-card";
import { exploreQueries } from "./queries";
import { WarningList } from "./warning-list";

const route = getRouteApi("/data/$id/explore");

/** What the columns hold: types, figures, distributions, gaps, and what goes together. */
export function ExplorePage() {
  const { t } = useI18n();
  const dataset = useDataset();
  const { column, method = "pearson" } = route.useSearch();
  const navigate = route.useNavigate();
  const summary = useQuery(exploreQueries.summary(dataset.id));
  return (
    <QueryView
      query={summary}
      loading={
        <Card>
          <p role="status" className="px-5 pt-4 text-ink-soft">
            {t("explore.working")}
          </p>
          <SkeletonRows rows={6} />
        </Card>
      }
    >
      {(found) => {
        const { columns } = found.statistics;
        const chosen = columns.find((one) => one.column === column) ?? columns[0];
        return (
          <div className="space-y-5">
            {found.warnings.length > 0 && <WarningList warnings={found.warnings} />}
            <div className="grid items-start gap-5 lg:grid-cols-[21rem_minmax(0,1fr)]">
              <ColumnList columns={columns} chosen={chosen?.column} />
              {chosen && <ColumnCard id={dataset.id} statistics={chosen} />}
            </div>
            <MissingCard missing={found.missing_values} rows={found.rows} />
            <CorrelationCard
              id={dataset.id}
              method={method}
              onMethod={(next) =>
                void navigate({
                  search: (old) => ({ ...old, method: next === "pearson" ? undefined : next }),
                  replace: true,
                })
              }
            />
          </div>
        );
      }}
    </QueryView>
  );
}
