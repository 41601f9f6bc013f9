import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ExternalLink } from "lucide-react";
import { CertificateBadge } from "@/components/certificate";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { PagePending } from "@/components/shell/page-pending";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import { PromptList } from "./prompt-list";
import { type Certificate, exportPath, registryQueries } from "./queries";

const route = getRouteApi("/models/$id/exports/$exportId");

/** The proof of one artefact: what was checked, and what each prompt brought. */
export function CertificatePage() {
  const { t } = useI18n();
  const params = route.useParams();
  const id = Number(params.id);
  const exportId = Number(params.exportId);
  const query = useQuery(registryQueries.certificate(id, exportId));
  const trail = (
    <Link to="/models/$id" params={{ id: params.id }} className="hover:text-accent hover:underline">
      {query.data?.source || t("registry.versionTitle")}
    </Link>
  );
  if (query.isError && !query.data) {
    return (
      <Page title={t("exports.page")} trail={trail}>
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      </Page>
    );
  }
  if (!query.data) return <PagePending />;
  const certificate = query.data;
  return (
    <Page
      title={t("exports.page")}
      trail={trail}
      badge={<CertificateBadge certificate={certificate} />}
      description={t("exports.beside", { artefact: certificate.artefact, source: certificate.source })}
      actions={
        <Button asChild>
          <a href={`${exportPath(id, exportId, "certificate")}?format=html`} target="_blank" rel="noreferrer">
            <ExternalLink aria-hidden />
            {t("exports.asHtml")}
          </a>
        </Button>
      }
    >
      <div className="space-y-6">
        <Checks certificate={certificate} />
        <PromptList prompts={certificate.prompts ?? []} />
      </div>
    </Page>
  );
}

function Checks({ certificate }: { certificate: Certificate }) {
  const { t, known, format } = useI18n();
  const show = (value: number | null) => (value === null ? "–" : format.measure(value));
  return (
    <Card className="overflow-hidden">
      <CardHeader title={certificate.passed ? t("exports.holds") : t("exports.fails")} />
      <Table label={t("exports.page")}>
        <thead>
          <tr>
            <Th>{t("exports.check")}</Th>
            <Th className="text-end">{t("exports.value")}</Th>
            <Th className="text-end">{t("exports.threshold")}</Th>
          </tr>
        </thead>
        <tbody>
          {certificate.checks.map((check) => (
            <tr key={check.name} data-check={check.name} data-passed={check.passed}>
              <Td>
                <span className="flex flex-wrap items-center gap-2">
                  {known("checks", check.name, check.name.replaceAll("_", " "))}
                  {!check.passed && <Badge tone="red">{t("runs.failed")}</Badge>}
                </span>
                {check.message && <span className="text-ink-soft text-xs">{check.message}</span>}
              </Td>
              <Td className={check.passed ? "numeric text-end text-green" : "numeric text-end text-red"}>
                {show(check.value)}
              </Td>
              <Td className="numeric text-end text-ink-soft">{show(check.threshold)}</Td>
            </tr>
          ))}
        </tbody>
      </Table>
      {certificate.certified_at && (
        <p className="px-5 py-3 text-ink-faint text-xs">
          <TimeAgo time={certificate.certified_at} />
        </p>
      )}
    </Card>
  );
}
