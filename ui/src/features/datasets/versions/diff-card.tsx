import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { Pagination } from "@/components/pagination";
import { QueryView } from "@/components/query-view";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { DiffFigures } from "./diff-figures";
import { fieldsThatDiffer } from "./differences";
import { DIFFS_A_PAGE, type RowDifference, type Version, versionQueries } from "./queries";

const TONES: Record<RowDifference["kind"], Tone> = { added: "green", removed: "red", changed: "amber" };

interface DiffCardProps {
  before: number;
  after: number;
  page: number;
  versions: readonly Version[];
  onAgainst: (other: number | undefined) => void;
  onPage: (page: number) => void;
}

/** Two versions row by row: what was there, what is there now. */
export function DiffCard({ before, after, page, versions, onAgainst, onPage }: DiffCardProps) {
  const { t } = useI18n();
  const diff = useQuery(versionQueries.diff(before, after, page));
  const others = versions.filter((version) => version.id !== after && !version.purged_at);
  const current = versions.find((version) => version.id === after);
  return (
    <Card className="overflow-clip" data-testid="diff">
      <header className="flex flex-wrap items-center gap-3 border-line border-b px-5 py-3">
        <h2 className="font-semibold text-[0.9375rem]">{t("versions.diffTitle")}</h2>
        <Select
          aria-label={t("versions.compareWith")}
          className="w-40"
          value={String(before)}
          onChange={(event) => onAgainst(Number(event.currentTarget.value))}
        >
          {!others.some((version) => version.id === before) && (
            <option value={String(before)}>{diff.data?.dataset.version ?? `#${before}`}</option>
          )}
          {others.map((version) => (
            <option key={version.id} value={String(version.id)}>
              {version.version}
            </option>
          ))}
        </Select>
        <span className="numeric text-ink-soft text-[0.8125rem]">
          {t("versions.towards", { version: current?.version ?? diff.data?.other.version ?? "" })}
        </span>
        {diff.data && <DiffFigures diff={diff.data.counts} />}
        <Button
          size="icon"
          variant="ghost"
          className="ms-auto"
          aria-label={t("table.close")}
          onClick={() => onAgainst(undefined)}
        >
          <X aria-hidden />
        </Button>
      </header>
      <QueryView query={diff}>
        {(found) => (
          <>
            {found.compared_by === "content" && (
              <p className="border-line border-b px-5 py-2 text-ink-faint text-xs">{t("versions.byContent")}</p>
            )}
            {found.items.length === 0 && (
              <p className="px-5 py-8 text-center text-ink-soft">{t("versions.noDifference")}</p>
            )}
            <ul className="divide-y divide-line">
              {found.items.map((difference) => (
                <Difference key={`${difference.row}-${difference.other_row}`} difference={difference} />
              ))}
            </ul>
            <Pagination page={page} pageSize={DIFFS_A_PAGE} total={found.total} onPage={onPage} />
          </>
        )}
      </QueryView>
    </Card>
  );
}

function Difference({ difference }: { difference: RowDifference }) {
  const { t, format } = useI18n();
  const { kind, row, other_row: other, before, after, error } = difference;
  const number = row ?? other ?? 0;
  return (
    <li className="grid gap-x-5 gap-y-2 px-5 py-3 sm:grid-cols-[7rem_minmax(0,1fr)]">
      <div className="flex items-center gap-2 sm:flex-col sm:items-start">
        <Badge tone={TONES[kind]}>{t(`versions.kinds.${kind}`)}</Badge>
        <span className="numeric text-ink-soft text-xs">
          {t("data.rowNumber", { row: format.number(number) })}
          {row !== null && other !== null && row !== other && ` → ${format.number(other)}`}
        </span>
      </div>
      <div className="min-w-0 space-y-2">
        {error && <p className="text-red text-[0.8125rem]">{error}</p>}
        {fieldsThatDiffer(before, after).map((field) => (
          <div key={field.pointer} className="min-w-0 text-[0.8125rem]">
            {field.pointer && (
              <code className="mb-0.5 block break-all font-mono text-ink-faint text-xs">{field.pointer}</code>
            )}
            {field.before !== null && (
              <del className="block max-h-60 overflow-y-auto whitespace-pre-wrap break-words rounded bg-red-soft px-2 py-0.5 no-underline">
                <span className="sr-only">{t("derivation.before")} </span>
                {field.before}
              </del>
            )}
            {field.after !== null && (
              <ins className="mt-0.5 block max-h-60 overflow-y-auto whitespace-pre-wrap break-words rounded bg-green-soft px-2 py-0.5 no-underline">
                <span className="sr-only">{t("derivation.after")} </span>
                {field.after}
              </ins>
            )}
          </div>
        ))}
      </div>
    </li>
  );
}
