import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Database, Search } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { Card, CardHeader } from "@/components/ui/card";
import { Input } from "@/components/ui/field";
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
            <div className="relative w-full sm:w-64">
              <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-ink-faint" />
              <Input
                type="search"
                aria-label={t("data.search")}
                placeholder={t("data.search")}
                defaultValue={search ?? ""}
                className="pl-9"
                onChange={(event) => {
                  const text = event.currentTarget.value.trim();
                  void navigate({ search: { search: text || undefined, page: undefined }, replace: true });
                }}
              />
            </div>
          }
        />
        <QueryView query={datasets}>
          {(list) =>
            list.items.length === 0 ? (
              <EmptyState icon={Database} title={isFiltered ? t("data.noMatchTitle") : t("data.emptyTitle")}>
                {isFiltered ? t("data.noMatchText") : t("data.emptyText")}
              </EmptyState>
            ) : (
              <>
                <DatasetTable datasets={list.items} />
                <Pagination
                  page={page}
                  pageSize={PAGE_SIZE}
                  total={list.total}
                  onPage={(next) => void navigate({ search: (old) => ({ ...old, page: next }) })}
                />
              </>
            )
          }
        </QueryView>
      </Card>
    </Page>
  );
}
