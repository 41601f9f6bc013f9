import { Link } from "@tanstack/react-router";
import { Table2, WandSparkles } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import type { Finding } from "../queries";

interface FindingItemProps {
  id: number;
  finding: Finding;
  /** Under the heading of its kind, which need not be said again. */
  isAlone: boolean;
  onFix: (() => void) | undefined;
}

export function FindingItem({ id, finding, isAlone, onFix }: FindingItemProps) {
  const { t, known, format } = useI18n();
  const names = { red: t("data.red"), amber: t("data.amber"), green: t("data.green") };
  const { row, line } = finding;
  return (
    <li className="group grid gap-x-5 gap-y-2 px-5 py-4 sm:grid-cols-[6.5rem_minmax(0,1fr)_auto]">
      <div className="flex flex-wrap items-center gap-2 sm:flex-col sm:items-start">
        {!isAlone && (
          <Badge tone={finding.severity} dot="still">
            {names[finding.severity]}
          </Badge>
        )}
        <span className="numeric text-[0.8125rem] text-ink-soft">
          {row === null ? (
            t("data.wholeFile")
          ) : (
            <Link
              to="/data/$id/table"
              params={{ id: String(id) }}
              search={{ row }}
              className="font-medium text-accent hover:underline"
            >
              {t("data.rowNumber", { row: format.number(row) })}
            </Link>
          )}
          {line !== null && (
            <span className="block text-ink-faint text-xs max-sm:inline max-sm:pl-2">
              {t("data.lineNumber", { line: format.number(line) })}
            </span>
          )}
        </span>
      </div>
      <div className="min-w-0">
        {!isAlone && <p className="font-medium">{known("findings", finding.code, finding.code)}</p>}
        <p className={isAlone ? undefined : "text-ink-soft"}>{finding.message}</p>
        {finding.pointer && <code className="block break-all font-mono text-ink-faint text-xs">{finding.pointer}</code>}
        {(finding.expected || finding.found) && (
          <dl className="mt-2 grid gap-x-4 gap-y-1 text-[0.8125rem] sm:grid-cols-[auto_1fr]">
            <Pair name={t("data.expected")} value={finding.expected} />
            <Pair name={t("data.found")} value={finding.found} />
          </dl>
        )}
      </div>
      <div className="flex gap-1.5 sm:flex-col">
        {row !== null && (
          <Button asChild size="small" variant="ghost">
            <Link to="/data/$id/table" params={{ id: String(id) }} search={{ row }}>
              <Table2 aria-hidden />
              {t("doctor.toRow")}
            </Link>
          </Button>
        )}
        {onFix && (
          <Button size="small" variant="ghost" className="justify-start" onClick={onFix}>
            <WandSparkles aria-hidden />
            {t("doctor.fixOne")}
          </Button>
        )}
      </div>
    </li>
  );
}

function Pair({ name, value }: { name: string; value: string | null }) {
  if (!value) return null;
  return (
    <>
      <dt className="text-ink-faint text-xs leading-5">{name}</dt>
      <dd className="min-w-0 break-words font-mono text-xs leading-5">{value}</dd>
    </>
  );
}
