import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ScanSearch } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { NumberJump } from "../number-jump";
import { DEFAULT_MODEL, TokenizerChoice } from "../tokenizer-choice";
import { useDataset } from "../use-dataset";
import { XRAY_ROWS, type XrayFilter, xrayQueries } from "./queries";
import { XrayCounts } from "./xray-counts";
import { XrayRowView } from "./xray-row";

const route = getRouteApi("/data/$id/xray");

/** Which tokens a training run would learn from, row by row, as the trainer itself masks them. */
export function XrayPage() {
  const { t, format } = useI18n();
  const dataset = useDataset();
  const { model = DEFAULT_MODEL, length, row = 1, only } = route.useSearch();
  const navigate = route.useNavigate();
  const offset = row - 1;
  const xray = useQuery(xrayQueries.rows(dataset.id, { model, max_length: length, offset, only }));

  return (
    <div className="space-y-5">
      <div className="flex flex-wrap items-center gap-3">
        <TokenizerChoice
          value={model}
          onValue={(next) => void navigate({ search: (old) => ({ ...old, model: next }), replace: true })}
        />
        <NumberJump
          label={t("xray.maxLength")}
          value={length}
          most={1_000_000}
          onValue={(next) => void navigate({ search: (old) => ({ ...old, length: next }), replace: true })}
        />
        <NumberJump
          label={only ? t("xray.goToMatch") : t("table.goTo")}
          most={xray.data?.total ?? dataset.total_samples ?? 1}
          onValue={(next) => void navigate({ search: (old) => ({ ...old, row: next }) })}
        />
      </div>
      <QueryView
        query={xray}
        loading={
          <Card>
            <p role="status" className="px-5 pt-4 text-ink-soft">
              {t("xray.working")}
            </p>
            <SkeletonRows rows={5} />
          </Card>
        }
      >
        {(found) => (
          <div className={xray.isPlaceholderData ? "space-y-5 opacity-60" : "space-y-5"}>
            {found.counts && <XrayCounts counts={found.counts} />}
            <Card className="overflow-clip">
              <div className="flex flex-wrap items-center justify-between gap-3 border-line border-b px-5 py-3">
                <Segmented<XrayFilter | "all">
                  label={t("xray.show")}
                  value={only ?? "all"}
                  className="max-w-full overflow-x-auto"
                  options={[
                    { value: "all", label: t("data.all") },
                    { value: "untrained", label: t("xray.untrained") },
                    { value: "truncated", label: t("xray.truncated") },
                    { value: "no-end", label: t("xray.noEnd") },
                  ]}
                  onChange={(next) =>
                    void navigate({
                      search: (old) => ({ ...old, only: next === "all" ? undefined : next, row: undefined }),
                      replace: true,
                    })
                  }
                />
                <Legend />
              </div>
              {found.rows.length === 0 ? (
                <EmptyState icon={ScanSearch} title={only ? t("xray.noneTitle") : t("table.emptyTitle")}>
                  {only ? t("xray.noneText") : t("table.emptyText")}
                </EmptyState>
              ) : (
                <ol data-testid="xray-rows" className="divide-y divide-line">
                  {found.rows.map((one) => (
                    <XrayRowView key={one.row} id={dataset.id} row={one} />
                  ))}
                </ol>
              )}
              <Pagination
                page={Math.floor(offset / XRAY_ROWS) + 1}
                pageSize={XRAY_ROWS}
                total={found.total}
                onPage={(next) =>
                  void navigate({ search: (old) => ({ ...old, row: (next - 1) * XRAY_ROWS + 1 }), resetScroll: true })
                }
              />
            </Card>
            <p className="text-ink-faint text-xs">{t("xray.foot", { rows: format.number(found.total) })}</p>
          </div>
        )}
      </QueryView>
    </div>
  );
}

function Legend() {
  const { t } = useI18n();
  return (
    <ul className="flex gap-4 text-xs">
      <li className="flex items-center gap-1.5">
        <span aria-hidden className="size-3 rounded-sm bg-green-soft ring-1 ring-green/40 ring-inset" />
        {t("xray.trained")}
      </li>
      <li className="flex items-center gap-1.5">
        <span aria-hidden className="size-3 rounded-sm bg-sunken ring-1 ring-line-strong ring-inset" />
        {t("xray.masked")}
      </li>
    </ul>
  );
}
