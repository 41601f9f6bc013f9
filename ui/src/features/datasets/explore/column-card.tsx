import { useQuery } from "@tanstack/react-query";
import { Histogram } from "@/components/histogram";
import { QueryView } from "@/components/query-view";
import { ShareList } from "@/components/share-list";
import { Badge } from "@/components/ui/badge";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { Figures } from "./figures";
import type { ColumnStatistics, HistogramShape } from "./queries";
import { exploreQueries } from "./queries";

/** One column: its figures, its distribution, its most frequent values, its languages and roles. */
export function ColumnCard({ id, statistics }: { id: number; statistics: ColumnStatistics }) {
  const { t, known, format } = useI18n();
  const distribution = useQuery(exploreQueries.distribution(id, statistics.column));
  const text = statistics.text ?? statistics.conversation?.text ?? null;
  const roles = statistics.conversation?.roles ?? [];
  const turns = roles.reduce((sum, role) => sum + role.turns, 0);

  return (
    <Card className="min-w-0 overflow-clip" data-testid="column-card">
      <CardHeader
        title={statistics.column}
        description={statistics.as_text ? t("explore.asText") : undefined}
        action={<Badge>{known("columnTypes", statistics.type, statistics.type)}</Badge>}
      />
      <Figures statistics={statistics} />
      <QueryView query={distribution}>
        {(found) => {
          const [column] = found.columns;
          if (!column) return null;
          return (
            <div className="grid gap-6 border-line border-t px-5 py-4 xl:grid-cols-2">
              {column.histogram && <Distribution histogram={column.histogram} />}
              {column.top.length > 0 && column.type !== "conversation" && (
                <section>
                  <h3 className="mb-1 text-ink-soft text-xs">{t("explore.top")}</h3>
                  <ShareList
                    label={t("explore.top")}
                    items={column.top.map((value) => ({ ...value, key: value.value, name: value.value || "∅" }))}
                  />
                </section>
              )}
            </div>
          );
        }}
      </QueryView>
      {(text || roles.length > 0) && (
        <div className="grid gap-6 border-line border-t px-5 py-4 xl:grid-cols-2">
          {text && text.languages.length > 0 && (
            <section>
              <h3 className="mb-1 text-ink-soft text-xs">{t("explore.languages")}</h3>
              <ShareList
                label={t("explore.languages")}
                tone="blue"
                items={text.languages.map(({ language, texts, share }) => ({
                  key: language,
                  name: format.language(language) ?? known("languages", language, language),
                  count: texts,
                  share,
                }))}
              />
            </section>
          )}
          {roles.length > 0 && (
            <section>
              <h3 className="mb-1 text-ink-soft text-xs">{t("explore.roles")}</h3>
              <ShareList
                label={t("explore.roles")}
                tone="blue"
                items={roles.map((role) => ({
                  key: role.role,
                  name: known("states", `role-${role.role}`, role.role),
                  note: t("explore.meanCharacters", { count: Math.round(role.characters.mean) }),
                  count: role.turns,
                  share: turns ? role.turns / turns : 0,
                }))}
              />
            </section>
          )}
        </div>
      )}
    </Card>
  );
}

function Distribution({ histogram }: { histogram: HistogramShape }) {
  const { known, format } = useI18n();
  const edge = (value: number) =>
    histogram.measure === "date" ? format.date(value * 1000) : format.number(Number(value.toPrecision(4)));
  return (
    <Histogram label={known("measures", histogram.measure, histogram.measure)} bars={histogram.bins} edge={edge} />
  );
}
