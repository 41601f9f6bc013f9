import { ShieldAlert, ShieldCheck } from "lucide-react";
import type { Schema } from "@/api/client";
import { Badge } from "@/components/ui/badge";
import { useI18n } from "@/i18n";

type Certificate = Schema<"Certificate">;

/** Whether an export answers as its source does; its checks are in the title and, opened, below. */
export function CertificateBadge({ certificate }: { certificate: Certificate | null | undefined }) {
  const { t } = useI18n();
  if (!certificate) return null;
  const Icon = certificate.passed ? ShieldCheck : ShieldAlert;
  return (
    <Badge tone={certificate.passed ? "green" : "red"} data-certificate={certificate.passed ? "passed" : "failed"}>
      <Icon aria-hidden className="size-3.5" />
      {t("runs.certificate")}: {certificate.passed ? t("runs.passed") : t("runs.failed")}
    </Badge>
  );
}

export function CertificateChecks({ certificate }: { certificate: Certificate }) {
  const { t, known, format } = useI18n();
  const show = (value: number | null | undefined) => (typeof value === "number" ? format.measure(value) : "–");
  return (
    <ul className="space-y-1 text-[0.8125rem]">
      {certificate.checks.map((check) => (
        <li key={check.name} className="flex flex-wrap justify-between gap-x-4">
          <span>{known("checks", check.name, check.name.replaceAll("_", " "))}</span>
          <span className={check.passed ? "numeric text-green" : "numeric text-red"}>
            {show(check.value)}
            {typeof check.threshold === "number" && <span className="text-ink-faint"> / {show(check.threshold)}</span>}
            <span className="sr-only"> {check.passed ? t("runs.passed") : t("runs.failed")}</span>
          </span>
          {check.message && <span className="w-full text-ink-soft text-xs">{check.message}</span>}
        </li>
      ))}
    </ul>
  );
}
