import { Check, X } from "lucide-react";
import { JobProgress } from "@/components/job-progress";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useI18n } from "@/i18n";
import type { Derivation } from "../queries";
import { StepList } from "./step-list";

interface PreviewPanelProps {
  title: string;
  preview: { data: Derivation | undefined; isPending: boolean; error: unknown };
  work: { job: number | null; isPending: boolean; error: unknown };
  onApply: () => void;
  onClose: () => void;
}

/** What would be done, before it is done: nothing of a dataset changes unseen. */
export function PreviewPanel({ title, preview, work, onApply, onClose }: PreviewPanelProps) {
  const { t } = useI18n();
  const { data } = preview;
  return (
    <section aria-label={title} data-testid="preview" className="border-line border-b bg-sunken/60 px-5 py-4">
      <div className="mb-3 flex items-start justify-between gap-3">
        <div>
          <h3 className="font-semibold">{title}</h3>
          {data?.changed && (
            <p className="numeric text-[0.8125rem] text-ink-soft">
              {t("derivation.outcome", {
                changed: data.diff.changed,
                removed: data.diff.removed,
                added: data.diff.added,
              })}
            </p>
          )}
        </div>
        <Button variant="ghost" size="icon" aria-label={t("table.close")} onClick={onClose}>
          <X aria-hidden />
        </Button>
      </div>
      {preview.isPending && <SkeletonRows rows={2} />}
      {preview.error ? <ProblemNotice error={preview.error} /> : null}
      {data && !data.changed && <p className="mb-3 text-ink-soft">{t("derivation.nothing")}</p>}
      {data && <StepList steps={data.report.steps ?? []} />}
      {work.error ? <ProblemNotice error={work.error} className="mt-4" /> : null}
      {work.job !== null && (
        <JobProgress className="mt-4" job={work.job} title={t("derivation.working")} onEnd={() => undefined} />
      )}
      {data?.changed && (
        <div className="mt-4 flex flex-wrap items-center gap-3">
          <Button variant="primary" pending={work.isPending} onClick={onApply}>
            <Check aria-hidden />
            {t("derivation.apply")}
          </Button>
          <span className="text-ink-soft text-xs">{t("derivation.applyText")}</span>
        </div>
      )}
    </section>
  );
}
