import { Wrench } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { useI18n } from "@/i18n";
import type { Finding } from "./queries";

export function FindingItem({ finding }: { finding: Finding }) {
  const { t, known } = useI18n();
  const fix = known("fixes", finding.code, finding.fix);
  const names = { red: t("data.red"), amber: t("data.amber"), green: t("data.green") };
  return (
    <li className="grid gap-x-5 gap-y-2 px-5 py-4 sm:grid-cols-[7.5rem_1fr]">
      <div className="flex flex-wrap items-center gap-2 sm:flex-col sm:items-start">
        <Badge tone={finding.severity} dot="still">
          {names[finding.severity]}
        </Badge>
        <span className="numeric text-[0.8125rem] text-ink-soft">
          {finding.row === null ? t("data.wholeFile") : t("data.rowNumber", { row: String(finding.row) })}
          {finding.line !== null && (
            <span className="block text-ink-faint text-xs max-sm:inline max-sm:pl-2">
              {t("data.lineNumber", { line: String(finding.line) })}
            </span>
          )}
        </span>
      </div>
      <div className="min-w-0">
        <p className="font-medium">
          {known("findings", finding.code, finding.code)}
          {finding.pointer && (
            <code className="ml-2 font-mono font-normal text-ink-faint text-xs">{finding.pointer}</code>
          )}
        </p>
        <p className="text-ink-soft">{finding.message}</p>
        {(finding.expected || finding.found) && (
          <dl className="mt-2 grid gap-x-4 gap-y-1 text-[0.8125rem] sm:grid-cols-[auto_1fr]">
            <Pair name={t("data.expected")} value={finding.expected} />
            <Pair name={t("data.found")} value={finding.found} />
          </dl>
        )}
        {finding.fix && (
          <p className="mt-2 flex gap-2 text-[0.8125rem]">
            <Wrench aria-hidden className="mt-0.5 size-3.5 shrink-0 text-accent" />
            <span>
              <span className="font-medium">{t("data.fix")}</span> {fix}
              {fix !== finding.fix && (
                <span lang="en" className="block text-ink-faint text-xs">
                  {finding.fix}
                </span>
              )}
            </span>
          </p>
        )}
      </div>
    </li>
  );
}

function Pair({ name, value }: { name: string; value: string | null | undefined }) {
  if (!value) return null;
  return (
    <>
      <dt className="text-ink-faint">{name}</dt>
      <dd className="min-w-0">
        <code className="whitespace-pre-wrap break-words rounded bg-sunken px-1.5 py-0.5 font-mono text-xs">
          {value}
        </code>
      </dd>
    </>
  );
}
