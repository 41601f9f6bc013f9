import { useNavigate } from "@tanstack/react-router";
import { ListChecks, WandSparkles } from "lucide-react";
import { ProblemNotice } from "@/components/problem";
import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { useI18n } from "@/i18n";
import { PreviewPanel } from "../derivation/preview-panel";
import { useDerive, usePreview } from "../derivation/queries";
import { ScoreRing } from "../quality/score-ring";
import { type DatasetDetail, type FindingCounts, useValidateDataset } from "../queries";

/** The verdict in one glance, and what can be done about everything at once. */
export function DoctorSummary({ dataset, counts }: { dataset: DatasetDetail; counts: FindingCounts }) {
  const { t, format } = useI18n();
  const navigate = useNavigate();
  const validate = useValidateDataset(dataset.id);
  const preview = usePreview(dataset.id, "fix");
  const fixes = useDerive(dataset, "fix", ({ dataset: made, changed }) => {
    if (changed) void navigate({ to: "/data/$id/doctor", params: { id: String(made.id) } });
  });
  const total = counts.red + counts.amber + counts.green;
  const isOpen = preview.isPending || preview.data !== undefined || preview.isError;

  return (
    <Card className="mb-5 overflow-clip">
      <div className="flex flex-wrap items-center gap-x-7 gap-y-4 px-5 py-4">
        <ScoreRing
          score={dataset.quality_score}
          note={
            dataset.validated_at && (
              <>
                {t("doctor.checked")} <TimeAgo time={dataset.validated_at} />
              </>
            )
          }
        />
        <dl className="flex flex-wrap gap-x-6 gap-y-2">
          <Count label={t("doctor.red")} value={counts.red} className="text-red" />
          <Count label={t("doctor.amber")} value={counts.amber} className="text-amber" />
          <Count label={t("doctor.green")} value={counts.green} className="text-green" />
        </dl>
        <div className="ms-auto flex flex-wrap items-center gap-2">
          <Button
            pending={validate.isPending}
            disabled={dataset.status === "archived"}
            onClick={() => validate.mutate()}
          >
            <ListChecks aria-hidden />
            {t("data.checkAgain")}
          </Button>
          {total > 0 && (
            <Button
              variant="primary"
              pending={preview.isPending || fixes.isPending}
              disabled={dataset.status === "archived"}
              onClick={() => preview.mutate({})}
            >
              <WandSparkles aria-hidden />
              {t("doctor.fixAll")}
            </Button>
          )}
        </div>
      </div>
      {counts.red > 0 && (
        <p className="border-line border-t bg-red-soft/60 px-5 py-2.5 text-[0.8125rem]">
          {t("doctor.redText", { count: format.number(counts.red) })}
        </p>
      )}
      {validate.isError && <ProblemNotice error={validate.error} className="m-4" />}
      {isOpen && (
        <PreviewPanel
          title={t("doctor.fixAllTitle")}
          preview={preview}
          work={fixes}
          onApply={() => fixes.start({})}
          onClose={preview.reset}
        />
      )}
    </Card>
  );
}

function Count({ label, value, className }: { label: string; value: number; className: string }) {
  const { format } = useI18n();
  return (
    <div>
      <dt className="text-ink-soft text-xs">{label}</dt>
      <dd className={`numeric font-semibold text-xl leading-7 ${value > 0 ? className : "text-ink-faint"}`}>
        {format.number(value)}
      </dd>
    </div>
  );
}
