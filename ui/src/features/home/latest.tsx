import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Boxes, Database } from "lucide-react";
import type { Schema } from "@/api/client";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { StateBadge } from "@/components/state-badge";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";

export function LatestData({ datasets }: { datasets: UseQueryResult<Schema<"DatasetListResponse">> }) {
  const { t } = useI18n();
  return (
    <Card>
      <CardHeader
        title={t("home.data")}
        action={
          datasets.data &&
          datasets.data.total > 0 && (
            <Link to="/data" className="text-[0.8125rem] text-accent hover:underline">
              {t("home.allData", { count: datasets.data.total })}
            </Link>
          )
        }
      />
      <QueryView query={datasets}>
        {(list) =>
          list.items.length === 0 ? (
            <EmptyState icon={Database} title={t("data.emptyTitle")}>
              {t("home.dataEmpty")}
            </EmptyState>
          ) : (
            <ul className="divide-y divide-line border-line border-t">
              {list.items.map((dataset) => (
                <li key={dataset.id} className="flex items-center justify-between gap-3 px-5 py-3">
                  <span className="min-w-0">
                    <Link
                      to="/data/$id"
                      params={{ id: String(dataset.id) }}
                      className="block truncate font-medium hover:text-accent hover:underline"
                    >
                      {dataset.name}
                    </Link>
                    <span className="numeric text-[0.8125rem] text-ink-soft">
                      {typeof dataset.total_samples === "number"
                        ? t("data.rowCount", { count: dataset.total_samples })
                        : dataset.file_name}
                    </span>
                  </span>
                  <StateBadge state={dataset.status} />
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </Card>
  );
}

export function LatestVersions({ versions }: { versions: UseQueryResult<Schema<"ModelListResponse">> }) {
  const { t } = useI18n();
  return (
    <Card>
      <CardHeader
        title={t("home.versions")}
        action={
          versions.data &&
          versions.data.total > 0 && (
            <Link to="/models" className="text-[0.8125rem] text-accent hover:underline">
              {t("home.allVersions", { count: versions.data.total })}
            </Link>
          )
        }
      />
      <QueryView query={versions}>
        {(list) =>
          list.items.length === 0 ? (
            <EmptyState icon={Boxes} title={t("registry.emptyTitle")}>
              {t("registry.emptyText")}
            </EmptyState>
          ) : (
            <ul className="divide-y divide-line border-line border-t">
              {list.items.map((version) => (
                <li key={version.id} className="flex items-center justify-between gap-3 px-5 py-3">
                  <span className="min-w-0">
                    <Link
                      to="/models/$id"
                      params={{ id: String(version.id) }}
                      className="block truncate font-medium hover:text-accent hover:underline"
                    >
                      {version.reference}
                    </Link>
                    <span className="block truncate text-[0.8125rem] text-ink-soft">{version.base_model}</span>
                  </span>
                  <StateBadge state={version.status} />
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </Card>
  );
}
