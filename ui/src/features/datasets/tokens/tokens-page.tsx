import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { QueryView } from "@/components/query-view";
import { ShareList } from "@/components/share-list";
import { Stat } from "@/components/stat";
import { Card, CardHeader } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import { DEFAULT_MODEL, TokenizerChoice } from "../tokenizer-choice";
import { useDataset } from "../use-dataset";
import { LengthCard } from "./length-card";
import type { TextTokens, TokenAnalysis } from "./queries";
import { tokenQueries } from "./queries";

const route = getRouteApi("/data/$id/tokens");

/** How many tokens the data is for a model, and what a maximum length does to it. */
export function TokensPage() {
  const { t } = useI18n();
  const dataset = useDataset();
  const { model = DEFAULT_MODEL, length } = route.useSearch();
  const navigate = route.useNavigate();
  const analysis = useQuery(tokenQueries.analysis(dataset.id, model));
  return (
    <div className="space-y-5">
      <div className="flex flex-wrap items-center gap-3">
        <TokenizerChoice
          value={model}
          onValue={(next) => void navigate({ search: (old) => ({ ...old, model: next }), replace: true })}
        />
        <p className="text-ink-soft text-xs">{t("tokens.text")}</p>
      </div>
      <QueryView
        query={analysis}
        loading={
          <Card>
            <p role="status" className="px-5 pt-4 text-ink-soft">
              {t("tokens.working")}
            </p>
            <SkeletonRows rows={5} />
          </Card>
        }
      >
        {(found) => (
          <div className={analysis.isPlaceholderData ? "space-y-5 opacity-60" : "space-y-5"}>
            <Totals analysis={found} />
            {found.lengths.length > 0 && found.sequences > 0 && (
              <LengthCard
                analysis={found}
                length={length}
                onLength={(next) => void navigate({ search: (old) => ({ ...old, length: next }), replace: true })}
              />
            )}
            <div className="grid gap-5 lg:grid-cols-3">
              <Shares title={t("tokens.byRole")} items={found.roles} isRole />
              <Shares title={t("tokens.byTurn")} items={found.turns} />
              <Shares title={t("tokens.byColumn")} items={found.columns} />
            </div>
            {found.rows_refused > 0 && <Refused id={dataset.id} analysis={found} />}
          </div>
        )}
      </QueryView>
    </div>
  );
}

function Totals({ analysis }: { analysis: TokenAnalysis }) {
  const { t, format } = useI18n();
  const { per_sequence: per } = analysis;
  return (
    <Card>
      <dl className="grid grid-cols-2 divide-line max-md:divide-y md:grid-cols-5 md:divide-x">
        <Stat label={t("tokens.total")} note={t("tokens.sequences", { count: analysis.sequences })}>
          <span data-testid="total-tokens">{format.number(analysis.total_tokens)}</span>
        </Stat>
        <Stat
          label={t("tokens.median")}
          note={per ? t("tokens.mean", { mean: format.number(per.mean, 1) }) : undefined}
        >
          {per ? format.number(Math.round(per.median)) : "–"}
        </Stat>
        <Stat label={t("tokens.p95")} note={per ? t("tokens.longest", { tokens: format.number(per.max) }) : undefined}>
          {per ? format.number(Math.round(per.p95)) : "–"}
        </Stat>
        <Stat label={t("tokens.template")} note={t("tokens.templateText")}>
          {format.percent(analysis.total_tokens ? analysis.template_tokens / analysis.total_tokens : 0, 1)}
        </Stat>
        <Stat
          label={t("tokens.charactersPerToken")}
          note={
            analysis.context_length
              ? t("tokens.context", { tokens: format.number(analysis.context_length) })
              : undefined
          }
        >
          {analysis.characters_per_token === null ? "–" : format.number(analysis.characters_per_token, 2)}
        </Stat>
      </dl>
    </Card>
  );
}

function Shares({ title, items, isRole }: { title: string; items: readonly TextTokens[]; isRole?: boolean }) {
  const { known, t, format } = useI18n();
  if (items.length === 0) return null;
  const name = (item: TextTokens) => (isRole ? known("states", `role-${item.name}`, item.name) : item.name);
  return (
    <Card className="min-w-0 px-5 py-4">
      <h3 className="mb-2 font-semibold text-[0.8125rem]">{title}</h3>
      <ShareList
        label={title}
        items={items.map((item) => ({
          key: item.name,
          name: name(item),
          note: t("tokens.meanTokens", { mean: format.number(item.per_text.mean, 1) }),
          count: item.tokens,
          share: item.share,
        }))}
      />
    </Card>
  );
}

function Refused({ id, analysis }: { id: number; analysis: TokenAnalysis }) {
  const { t, format } = useI18n();
  return (
    <Card className="overflow-clip">
      <CardHeader title={t("tokens.refused", { count: analysis.rows_refused })} description={t("tokens.refusedText")} />
      <ul className="divide-y divide-line border-line border-t">
        {analysis.refused.map((row) => (
          <li key={row.row} className="flex gap-4 px-5 py-2 text-[0.8125rem]">
            <Link
              to="/data/$id/table"
              params={{ id: String(id) }}
              search={{ row: row.row }}
              className="numeric shrink-0 text-accent hover:underline"
            >
              {t("data.rowNumber", { row: format.number(row.row) })}
            </Link>
            <span className="text-ink-soft">{row.message}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
