import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Copy } from "lucide-react";
import { answer, api, type Schema } from "@/api/client";
import { EmptyState } from "@/components/empty-state";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { DATASETS, type DatasetDetail, datasetQueries } from "../queries";

const route = getRouteApi("/data/$id/doctor");
const CLUSTERS_A_PAGE = 10;

type Member = Schema<"DuplicateMember">;

const clusters = (id: number, page: number) =>
  queryOptions({
    queryKey: [...datasetQueries.all(), "duplicates", id, page],
    queryFn: ({ signal }) => {
      const query = { page, page_size: CLUSTERS_A_PAGE, members: 10 };
      return answer(api.GET(`${DATASETS}/{id}/duplicates`, { signal, params: { path: { id }, query } }));
    },
    placeholderData: keepPreviousData,
  });

/** Rows that are nearly the same, cluster by cluster: which one stays, and what the others are like. */
export function ClustersPanel({ dataset, page }: { dataset: DatasetDetail; page: number }) {
  const { t, format } = useI18n();
  const navigate = route.useNavigate();
  const list = useQuery(clusters(dataset.id, page));
  return (
    <Card className="min-w-0 overflow-clip">
      <QueryView query={list}>
        {(found) => (
          <>
            <CardHeader
              title={t("doctor.clustersTitle")}
              description={t("doctor.clustersText", {
                clusters: format.number(found.total),
                rows: format.number(found.rows_in_clusters),
                threshold: format.percent(found.similarity_threshold),
              })}
            />
            {found.items.length === 0 ? (
              <EmptyState icon={Copy} title={t("doctor.noClustersTitle")}>
                {t("doctor.noClustersText")}
              </EmptyState>
            ) : (
              <ol data-testid="clusters" className="divide-y divide-line border-line border-t">
                {found.items.map((cluster) => (
                  <li key={cluster.representative.row} className="px-5 py-4">
                    <p className="mb-2 font-medium text-[0.8125rem]">
                      {t("doctor.clusterSize", { count: cluster.size })}
                    </p>
                    <ul className="space-y-1.5">
                      <MemberLine id={dataset.id} member={cluster.representative} isKept />
                      {cluster.members.map((member) => (
                        <MemberLine key={member.row} id={dataset.id} member={member} />
                      ))}
                    </ul>
                    {cluster.size > cluster.members.length + 1 && (
                      <p className="mt-2 text-ink-faint text-xs">
                        {t("doctor.clusterMore", { count: cluster.size - cluster.members.length - 1 })}
                      </p>
                    )}
                  </li>
                ))}
              </ol>
            )}
            <Pagination
              page={page}
              pageSize={CLUSTERS_A_PAGE}
              total={found.total}
              onPage={(next) => void navigate({ search: (old) => ({ ...old, cluster: next }) })}
            />
          </>
        )}
      </QueryView>
    </Card>
  );
}

function MemberLine({ id, member, isKept = false }: { id: number; member: Member; isKept?: boolean }) {
  const { t, format } = useI18n();
  return (
    <li className="grid grid-cols-[5.5rem_4.5rem_minmax(0,1fr)] items-baseline gap-3 text-[0.8125rem]">
      <Link
        to="/data/$id/table"
        params={{ id: String(id) }}
        search={{ row: member.row }}
        className="numeric text-accent hover:underline"
      >
        {t("data.rowNumber", { row: format.number(member.row) })}
      </Link>
      <span className={isKept ? "font-medium text-green text-xs" : "numeric text-ink-soft text-xs"}>
        {isKept ? t("doctor.kept") : format.percent(member.similarity, 1)}
      </span>
      <span className="truncate text-ink-soft" title={member.excerpt}>
        {member.excerpt}
      </span>
    </li>
  );
}
