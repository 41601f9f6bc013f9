import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Database } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { PagedList } from "@/components/paged-list";
import { SearchField } from "@/components/search-field";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { DatasetTable } from "./dataset-table";
import { datasetQueries, PAGE_SIZE } from "./queries";
import { UploadZone } from "./upload/upload-zone";

const route = getRouteApi("/data");

export function DatasetListPage() {
  const { t } = useI18n();
  const { page = 1, search } = route.useSearch();
  const navigate = route.useNavigate();
  const datasets = useQuery(datasetQueries.list({ page, search }));
  const isFiltered = search !== undefined;

  return (
    <Page title={t("data.title")} description={t("data.description")}>
      <UploadZone />
      <Card className="mt-6 overflow-hidden">
        <CardHeader
          title={t("data.listTitle")}
          action={
            <SearchField
              className="w-full sm:w-64"
              label={t("data.search")}
              value={search}
              onSearch={(text) => void navigate({ search: { search: text || undefined }, replace: true })}
            />
          }
        />
        <PagedList
          query={datasets}
          page={page}
          pageSize={PAGE_SIZE}
          onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
          empty={
            <EmptyState icon={Database} title={isFiltered ? t("data.noMatchTitle") : t("data.emptyTitle")}>
              {isFiltered ? t("data.noMatchText") : t("data.emptyText")}
            </EmptyState>
          }
        >
          {(items) => <DatasetTable datasets={items} />}
        </PagedList>
      </Card>
    </Page>
  );
}
