import { useI18n } from "@/i18n";
import type { DiffCounts } from "./queries";

/** +3 −1 ~12: rows added, removed, changed. */
export function DiffFigures({ diff }: { diff: DiffCounts }) {
  const { t, format } = useI18n();
  return (
    <span className="numeric inline-flex gap-2 whitespace-nowrap text-xs" title={t("derivation.outcome", { ...diff })}>
      {diff.changed > 0 && <span className="text-amber">~{format.number(diff.changed)}</span>}
      {diff.removed > 0 && <span className="text-red">−{format.number(diff.removed)}</span>}
      {diff.added > 0 && <span className="text-green">+{format.number(diff.added)}</span>}
      {diff.changed + diff.removed + diff.added === 0 && <span className="text-ink-faint">=</span>}
    </span>
  );
}
