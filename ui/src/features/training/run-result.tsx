import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { MessageSquare } from "lucide-react";
import { CertificateBadge } from "@/components/certificate";
import { QueryView } from "@/components/query-view";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { jobQueries } from "@/features/jobs/queries";
import { useI18n } from "@/i18n";
import { ComparisonTable } from "./comparison-table";
import type { Run } from "./queries";
import { readComparison, readExports, readVersion } from "./result-reading";

/** What came out: base beside tuned, the registered version, the exports with their certificates. */
export function RunResult({ run }: { run: Run }) {
  const { t, format } = useI18n();
  const stage = (kind: string) => run.graph.find((step) => step.kind === kind);
  const hasEnded = (kind: string) => stage(kind)?.state === "succeeded";
  const evaluation = useQuery({
    ...jobQueries.detail(stage("evaluate")?.job_id ?? 0),
    enabled: hasEnded("evaluate"),
  });
  const registration = useQuery({
    ...jobQueries.detail(stage("register")?.job_id ?? 0),
    enabled: hasEnded("register"),
  });
  const exported = useQuery({ ...jobQueries.detail(stage("export")?.job_id ?? 0), enabled: hasEnded("export") });
  if (run.status !== "completed") return null;

  const version = readVersion(registration.data?.result);
  const exports = readExports(exported.data?.result);
  const tuned = version?.name ?? `run:${run.id}`;
  return (
    <Card className="overflow-hidden">
      <CardHeader
        title={t("runs.result")}
        description={hasEnded("evaluate") ? t("runs.resultText") : t("runs.resultWaiting")}
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
      {hasEnded("evaluate") && (
        <QueryView query={evaluation}>{(job) => <ComparisonTable rows={readComparison(job.result)} />}</QueryView>
      )}
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
