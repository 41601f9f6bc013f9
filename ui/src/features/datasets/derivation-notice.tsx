import { Link, useNavigate } from "@tanstack/react-router";
import { GitCompareArrows, History, Undo2, X } from "lucide-react";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { useStoredState } from "@/hooks/use-stored-state";
import { useI18n } from "@/i18n";
import { useUndo } from "./derivation/queries";
import type { DatasetDetail } from "./queries";

interface Source {
  kind?: string;
  operation?: string;
  diff?: { added: number; removed: number; changed: number };
}

/** A version that was made from another says so: what was done, the way to see it row by row, and the way back. */
export function DerivationNotice({ dataset }: { dataset: DatasetDetail }) {
  const { t, known } = useI18n();
  const navigate = useNavigate();
  const undo = useUndo(dataset.id);
  const [isHidden, hide] = useStoredState(`tunesmith.derived.${dataset.id}`, false);
  const source = dataset.source as Source;
  const { parent_id: parent } = dataset;
  if (parent === null || !source.diff || isHidden || dataset.status === "archived") return null;

  return (
    <section
      data-testid="derivation-notice"
      aria-label={t("derivation.noticeTitle")}
      className="mb-5 rounded-xl border border-accent/25 bg-accent-soft px-4 py-3"
    >
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <History aria-hidden className="size-4.5 shrink-0 text-accent" />
        <p className="min-w-0 flex-1">
          <span className="font-medium">
            {t("derivation.madeBy", {
              version: dataset.version,
              operation: known("steps", source.operation, source.operation ?? ""),
            })}
          </span>{" "}
          <span className="numeric text-ink-soft">{t("derivation.outcome", source.diff)}</span>
        </p>
        <span className="flex items-center gap-2">
          <Button asChild size="small">
            <Link to="/data/$id/versions" params={{ id: String(dataset.id) }} search={{ against: parent }}>
              <GitCompareArrows aria-hidden />
              {t("derivation.seeDiff")}
            </Link>
          </Button>
          <Button
            size="small"
            pending={undo.isPending}
            onClick={() =>
              undo.mutate(undefined, {
                onSuccess: ({ dataset: old }) =>
                  void navigate({ to: "/data/$id/doctor", params: { id: String(old.id) } }),
              })
            }
          >
            <Undo2 aria-hidden />
            {t("derivation.undo")}
          </Button>
          <Button size="icon" variant="ghost" aria-label={t("table.close")} onClick={() => hide(true)}>
            <X aria-hidden />
          </Button>
        </span>
      </div>
      {undo.isError && <ProblemNotice error={undo.error} className="mt-3" />}
    </section>
  );
}
