import { useQueries } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { GitCompare, X } from "lucide-react";
import { EmptyState } from "@/components/empty-state";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { PagePending } from "@/components/shell/page-pending";
import { StateBadge } from "@/components/state-badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { differingKeys } from "@/lib/recipe-diff";
import { CompareCurves, colorOf } from "./compare-curves";
import { type Run, runQueries } from "./queries";

const route = getRouteApi("/runs/compare");

export function ComparePage() {
  const { t } = useI18n();
  const ids = (route.useSearch().ids ?? "").split(",").map(Number).filter(Boolean);
  const found = useQueries({ queries: ids.map((id) => runQueries.detail(id)) });
  const trail = (
    <Link to="/runs" className="hover:text-accent hover:underline">
      {t("runs.title")}
    </Link>
  );
  const failed = found.find((query) => query.isError && !query.data);
  const runs = found.flatMap((query) => query.data ?? []);
  if (!failed && runs.length < ids.length) return <PagePending />;
  return (
    <Page title={t("compare.title")} trail={trail} description={t("compare.description")} className="max-w-7xl">
      {failed ? (
        <ProblemNotice error={failed.error} onRetry={() => void failed.refetch()} />
      ) : runs.length < 2 ? (
        <EmptyState
          icon={GitCompare}
          title={t("compare.chooseTitle")}
          action={
            <Button asChild variant="primary">
              <Link to="/runs">{t("compare.toRuns")}</Link>
            </Button>
          }
        >
          {t("compare.chooseText")}
        </EmptyState>
      ) : (
        <div className="space-y-6">
          <FiguresCard runs={runs} />
          <CompareCurves runs={runs} />
          <RecipesCard runs={runs} />
        </div>
      )}
    </Page>
  );
}

function Head({ runs }: { runs: Run[] }) {
  const { t } = useI18n();
  const navigate = route.useNavigate();
  return (
    <thead>
      <tr>
        <Th>{t("compare.key")}</Th>
        {runs.map((run, place) => (
          <Th key={run.id} className="min-w-32">
            <span className="flex items-center gap-2">
              <span
                aria-hidden
                className="size-2.5 shrink-0 rounded-full"
                style={{ background: `var(${colorOf(place)})` }}
              />
              <Link
                to="/runs/$id"
                params={{ id: String(run.id) }}
                className="text-ink hover:text-accent hover:underline"
              >
                {run.job_name} <span className="numeric text-ink-faint">#{run.id}</span>
              </Link>
              {runs.length > 2 && (
                <Button
                  size="icon"
                  variant="ghost"
                  className="size-6"
                  aria-label={t("compare.remove", { name: `${run.job_name} #${run.id}` })}
                  onClick={() => {
                    const left = runs.filter((one) => one.id !== run.id).map((one) => one.id);
                    void navigate({ search: { ids: left.join(",") }, replace: true });
                  }}
                >
                  <X aria-hidden />
                </Button>
              )}
            </span>
          </Th>
        ))}
      </tr>
    </thead>
  );
}

function FiguresCard({ runs }: { runs: Run[] }) {
  const { t, format } = useI18n();
  const number = (value: number | null | undefined, show: (value: number) => string) =>
    typeof value === "number" ? show(value) : "–";
  const seconds = (run: Run) =>
    run.started_at && run.completed_at ? (Date.parse(run.completed_at) - Date.parse(run.started_at)) / 1000 : null;
  const rows: [string, (run: Run) => React.ReactNode][] = [
    [t("runs.state"), (run) => <StateBadge state={run.status} />],
    [t("runs.base"), (run) => run.base_model],
    [t("runs.method"), (run) => <span className="uppercase">{run.method}</span>],
    [t("compare.steps"), (run) => number(run.figures?.steps ?? run.current_step, format.number)],
    [t("runs.finalLoss"), (run) => number(run.figures?.final_loss, format.measure)],
    [t("runs.evalLoss"), (run) => number(run.figures?.eval_loss, format.measure)],
    [t("runs.trainedTokens"), (run) => number(run.figures?.trained_tokens, format.number)],
    [t("runs.tokensPerSecond"), (run) => number(run.figures?.tokens_per_second, format.measure)],
    [t("compare.took"), (run) => number(seconds(run), format.duration)],
  ];
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("compare.figures")} />
      <Table label={t("compare.figures")}>
        <Head runs={runs} />
        <tbody>
          {rows.map(([name, read]) => (
            <Tr key={name}>
              <Td className="text-ink-soft">{name}</Td>
              {runs.map((run) => (
                <Td key={run.id} className="numeric">
                  {read(run)}
                </Td>
              ))}
            </Tr>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

function RecipesCard({ runs }: { runs: Run[] }) {
  const { t } = useI18n();
  const keys = differingKeys(runs.map((run) => run.recipe));
  const show = (value: unknown) =>
    value === undefined ? t("compare.unset") : typeof value === "string" ? value : JSON.stringify(value);
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("compare.recipes")} description={t("compare.onlyDifferences", { count: keys.length })} />
      {keys.length === 0 ? (
        <p className="px-5 pb-5 text-ink-soft">{t("compare.same")}</p>
      ) : (
        <Table label={t("compare.recipes")}>
          <Head runs={runs} />
          <tbody>
            {keys.map(({ key, values }) => (
              <Tr key={key}>
                <Td className="font-mono text-xs">{key}</Td>
                {runs.map((run, place) => (
                  <Td key={run.id} className="numeric break-words">
                    {show(values[place])}
                  </Td>
                ))}
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}
