import { Progress } from "@/components/ui/progress";
import { useI18n } from "@/i18n";

const GOOD = 0.9;
const FAIR = 0.7;

/** The quality score from 0 to 1 as a bar and a figure; nothing where the data has not been checked. */
export function QualityMeter({ score }: { score: number | null | undefined }) {
  const { t, format } = useI18n();
  if (score === null || score === undefined) return <span className="text-ink-faint">–</span>;
  const tone = score >= GOOD ? "green" : score >= FAIR ? "amber" : "red";
  return (
    <span className="flex items-center gap-2">
      <Progress label={t("data.quality")} value={score} tone={tone} className="w-14" />
      <span className="numeric">{format.percent(score)}</span>
    </span>
  );
}
