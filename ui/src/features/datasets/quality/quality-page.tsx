import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Gauge } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { QueryView } from "@/components/query-view";
import { TimeAgo } from "@/components/time-ago";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { QualityMeter } from "../quality-meter";
import type { DatasetDetail } from "../queries";
import { useDataset } from "../use-dataset";
import { type Version, versionQueries } from "../versions/queries";
import { type QualityLog, qualityQueries } from "./queries";
import { ScoreRing } from "./score-ring";

/** The score, what it is made of, and how it went from check to check and from version to version. */
export function QualityPage() {
  const { t } = useI18n();
  const dataset = useDataset();
  const history = useQuery(qualityQueries.history(dataset.id));
  const versions = useQuery(versionQueries.list(dataset.id, 1));
  return (
    <div className="space-y-5">
      <QueryView query={history}>
        {(list) => {
          const [latest] = list.items;
          if (!latest) {
            return (
              <Card>
                <EmptyState icon={Gauge} title={t("quality.emptyTitle")}>
                  {t("quality.emptyText")}
                </EmptyState>
              </Card>
            );
          }
          return (
            <>
              <Verdict dataset={dataset} latest={latest} />
              <QueryView query={versions}>
                {(found) => <ByVersion versions={found.items} current={dataset.id} />}
              </QueryView>
              <History logs={list.items} />
            </>
          );
        }}
      </QueryView>
    </div>
  );
}

const KINDS = ["format_errors", "duplicates", "pii"] as const;

function Verdict({ dataset, latest }: { dataset: DatasetDetail; latest: QualityLog }) {
  const { t, known, format } = useI18n();
  return (
    <Card className="overflow-clip">
      <div className="flex flex-wrap items-center gap-x-8 gap-y-4 px-5 py-4">
        <ScoreRing score={latest.quality_score} />
        <p className="max-w-xl flex-1 basis-64 text-[0.8125rem] text-ink-soft">{t("quality.formula")}</p>
      </div>
      <div className="grid divide-line border-line border-t max-md:divide-y md:grid-cols-3 md:divide-x">
        {KINDS.map((kind) => {
          const found = latest[kind];
          return (
            <section key={kind} className="px-5 py-4">
              <h3 className="text-ink-soft text-xs">{t(`quality.kinds.${kind}`)}</h3>
              <p className="numeric mt-0.5 font-semibold text-lg">
                {found.checked ? format.number(found.total) : t("quality.notChecked")}
              </p>
              <ul className="mt-1.5 space-y-0.5 text-[0.8125rem]">
                {Object.entries(found.by_code).map(([code, count]) => (
                  <li key={code} className="flex gap-3">
                    <Link
                      to="/data/$id/doctor"
                      params={{ id: String(dataset.id) }}
                      search={{ code }}
                      className="min-w-0 flex-1 truncate text-ink-soft hover:text-accent hover:underline"
                    >
                      {known("findings", code, code)}
                    </Link>
                    <span className="numeric text-ink-faint">{format.number(count)}</span>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </div>
    </Card>
  );
}

/** The score of each version, oldest first, as bars: whether the data got better. */
function ByVersion({ versions, current }: { versions: readonly Version[]; current: number }) {
  const { t, format } = useI18n();
  const scored = versions.filter((version) => version.quality_score !== null).toReversed();
  if (scored.length < 2) return null;
  return (
    <Card className="overflow-clip">
      <CardHeader title={t("quality.byVersion")} />
      <ol className="flex items-end gap-3 overflow-x-auto px-5 pb-4">
        {scored.map((version) => {
          const score = version.quality_score ?? 0;
          return (
            <li key={version.id} className="flex w-14 shrink-0 flex-col items-center gap-1">
              <span className="numeric text-xs">{format.percent(score)}</span>
              <span aria-hidden className="flex h-24 w-full items-end rounded-md bg-sunken">
                <span
                  className={`w-full rounded-md ${version.id === current ? "bg-accent" : "bg-accent/45"}`}
                  style={{ height: `${score * 100}%` }}
                />
              </span>
              <Link
                to="/data/$id/quality"
                params={{ id: String(version.id) }}
                aria-current={version.id === current ? "page" : undefined}
                className="numeric text-ink-soft text-xs hover:text-accent hover:underline aria-[current=page]:font-semibold aria-[current=page]:text-ink"
              >
                {version.version}
              </Link>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}

function History({ logs }: { logs: readonly QualityLog[] }) {
  const { t, format } = useI18n();
  return (
    <Card className="overflow-clip">
      <CardHeader title={t("quality.history")} description={t("quality.historyText")} />
      <Table label={t("quality.history")} data-testid="quality-history">
        <thead>
          <tr>
            <Th>{t("doctor.checked")}</Th>
            <Th>{t("data.quality")}</Th>
            {KINDS.map((kind) => (
              <Th key={kind} className="text-end">
                {t(`quality.kinds.${kind}`)}
              </Th>
            ))}
          </tr>
        </thead>
        <tbody>
          {logs.map((log) => (
            <Tr key={log.id}>
              <Td>
                <TimeAgo time={log.created_at} />
              </Td>
              <Td>
                <QualityMeter score={log.quality_score} />
              </Td>
              {KINDS.map((kind) => (
                <Td key={kind} className="numeric text-end text-ink-soft">
                  {log[kind].checked ? format.number(log[kind].total) : "–"}
                </Td>
              ))}
            </Tr>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}
