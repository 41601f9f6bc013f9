import { Link } from "@tanstack/react-router";
import { MessageSquare } from "lucide-react";
import { CertificateBadge } from "@/components/certificate";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { ComparisonTable } from "./comparison-table";
import type { Run } from "./queries";
import { readComparison, readExports, readVersion } from "./result-reading";
import { isMoving, type Stage } from "./use-stages";

/** What came out: base beside tuned, the registered version, the exports with their certificates. */
export function RunResult({ run, stages }: { run: Run; stages: Stage[] }) {
  const { t, format } = useI18n();
  if (run.status !== "completed") return null;
  const resultOf = (kind: string) => stages.find((stage) => stage.kind === kind)?.job.result;
  const comparison = readComparison(resultOf("evaluate"));
  const version = readVersion(resultOf("register"));
  const exports = readExports(resultOf("export"));
  const tuned = version?.name ?? `run:${run.id}`;
  return (
    <Card className="overflow-hidden">
      <CardHeader
        title={t("runs.result")}
        description={comparison.length > 0 ? t("runs.resultText") : isMoving(stages) && t("runs.resultWaiting")}
        action={
          <div className="flex flex-wrap gap-2">
            {version && (
              <Button asChild>
                <Link to="/models/$id" params={{ id: String(version.id) }}>
                  {t("runs.openVersion", { version: version.name })}
                </Link>
              </Button>
            )}
            <Button asChild variant="primary">
              <Link to="/chat" search={{ model: run.base_model, beside: tuned }}>
                <MessageSquare aria-hidden />
                {t("runs.compare")}
              </Link>
            </Button>
          </div>
        }
      />
      {comparison.length > 0 && <ComparisonTable rows={comparison} />}
      <RunFigures run={run} />
      {exports.length > 0 && (
        <section aria-label={t("runs.exports")} className="border-line border-t px-5 py-4">
          <h3 className="mb-2 font-medium text-[0.8125rem]">{t("runs.exports")}</h3>
          <ul className="flex flex-wrap gap-2">
            {exports.map((one) => (
              <li
                key={`${one.format}-${one.method}`}
                className="flex items-center gap-3 rounded-lg border border-line px-3 py-2 text-[0.8125rem]"
              >
                <span className="font-medium uppercase">{[one.format, one.method].filter(Boolean).join(" ")}</span>
                <span className="numeric text-ink-soft">{format.bytes(one.size_bytes)}</span>
                <CertificateBadge certificate={one.certificate} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </Card>
  );
}

/** The training in figures. */
function RunFigures({ run }: { run: Run }) {
  const { t, known, format } = useI18n();
  const { figures } = run;
  if (!figures) return null;
  const measures = Object.entries(figures.measures ?? {}).map(([name, value]): [string, string] => [
    known("metrics", `eval_${name}`, known("metrics", name, name)),
    format.measure(value),
  ]);
  const facts: [string, string | null][] = [
    [t("runs.finalLoss"), number(figures.final_loss, format.measure)],
    [t("runs.evalLoss"), number(figures.eval_loss, format.measure)],
    ...measures,
    [t("runs.trainedTokens"), format.number(figures.trained_tokens)],
    [t("runs.tokensPerSecond"), number(figures.tokens_per_second, format.measure)],
    [t("runs.resumedRun"), figures.resumed ? t("train.yes") : null],
  ];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-1 border-line border-t px-5 py-3 text-[0.8125rem]">
      {facts.map(
        ([name, value]) =>
          value !== null && (
            <div key={name} className="flex gap-2">
              <dt className="text-ink-faint">{name}</dt>
              <dd className="numeric">{value}</dd>
            </div>
          ),
      )}
      {figures.weights_sha256 && (
        <div className="flex min-w-0 gap-2">
          <dt className="shrink-0 text-ink-faint">{t("runs.weights")}</dt>
          <dd className="min-w-0 truncate font-mono text-xs leading-5" title={figures.weights_sha256}>
            {figures.weights_sha256}
          </dd>
        </div>
      )}
    </dl>
  );
}

function number(value: number | null | undefined, show: (value: number) => string): string | null {
  return typeof value === "number" ? show(value) : null;
}
