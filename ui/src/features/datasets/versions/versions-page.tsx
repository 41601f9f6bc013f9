import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { QueryView } from "@/components/query-view";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { DatasetSummary } from "../dataset-summary";
import { useDataset } from "../use-dataset";
import { DiffCard } from "./diff-card";
import { LineageGraph } from "./lineage-graph";
import { versionQueries } from "./queries";
import { VersionTable } from "./version-table";

const route = getRouteApi("/data/$id/versions");

/** Where this version comes from, what came of it, and what differs between two. */
export function VersionsPage() {
  const { t } = useI18n();
  const dataset = useDataset();
  const { against, page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const versions = useQuery(versionQueries.list(dataset.id, 1));
  const lineage = useQuery(versionQueries.lineage(dataset.id));
  const onAgainst = (other: number | undefined) =>
    void navigate({ search: { against: other, page: undefined }, replace: true, resetScroll: false });

  return (
    <div className="space-y-5">
      {against !== undefined && against !== dataset.id && (
        <DiffCard
          before={against}
          after={dataset.id}
          page={page}
          versions={versions.data?.items ?? []}
          onAgainst={onAgainst}
          onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }), resetScroll: false })}
        />
      )}
      <Card className="overflow-clip">
        <CardHeader title={t("versions.title")} description={t("versions.text")} />
        <QueryView query={versions}>
          {(list) => <VersionTable versions={list.items} current={dataset.id} onCompare={onAgainst} />}
        </QueryView>
      </Card>
      <Card className="overflow-clip">
        <CardHeader title={t("versions.lineage")} description={t("versions.lineageText")} />
        <QueryView query={lineage}>{(found) => <LineageGraph lineage={found} />}</QueryView>
      </Card>
      <DatasetSummary dataset={dataset} />
    </div>
  );
}
