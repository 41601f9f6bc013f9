import { useNavigate } from "@tanstack/react-router";
import { Save, Undo2 } from "lucide-react";
import { asApiError } from "@/api/errors";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { type DatasetDetail, useEditRows } from "@/features/datasets/queries";
import { useI18n } from "@/i18n";
import { countOf, NOTHING, type PendingEdits, toPatch } from "./pending-edits";

interface PendingBarProps {
  dataset: DatasetDetail;
  edits: PendingEdits;
  onChange: (change: (old: PendingEdits) => PendingEdits) => void;
}

/** What is changed and not saved, with the two ways out of it. Saving makes a version; this one stays as it is. */
export function PendingBar({ dataset, edits, onChange }: PendingBarProps) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const save = useEditRows(dataset);
  const count = countOf(edits);
  if (count === 0) return null;

  const send = () =>
    save.mutate(toPatch(edits), {
      onSuccess: ({ dataset: made }) => {
        onChange(() => NOTHING);
        void navigate({ to: "/data/$id/table", params: { id: String(made.id) }, search: (old) => old });
      },
    });

  return (
    <div
      data-testid="pending-bar"
      className="sticky bottom-16 z-20 border-line border-t bg-raised/95 px-4 py-3 shadow-card backdrop-blur lg:bottom-0"
    >
      {save.isError && (
        <div className="mb-3">
          <ProblemNotice error={save.error} />
          {asApiError(save.error).status === 409 && <p className="mt-2 text-ink-soft text-xs">{t("table.conflict")}</p>}
        </div>
      )}
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p role="status">
          <span className="font-medium">{t("table.pending", { count })}</span>{" "}
          <span className="text-ink-soft text-xs">{t("table.pendingText", { version: dataset.version })}</span>
        </p>
        <div className="flex gap-2">
          <Button disabled={save.isPending} onClick={() => onChange(() => NOTHING)}>
            <Undo2 aria-hidden />
            {t("table.discard")}
          </Button>
          <Button variant="primary" pending={save.isPending} onClick={send}>
            <Save aria-hidden />
            {t("table.save", { count })}
          </Button>
        </div>
      </div>
    </div>
  );
}
