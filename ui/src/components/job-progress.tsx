import { Button } from "@/components/ui/button";
import { Progress } from "@/components/ui/progress";
import { useJobProgress } from "@/hooks/use-job-progress";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";

interface JobProgressProps {
  job: number;
  title: string;
  onEnd: (state: string) => void;
  onCancel?: () => void;
  className?: string;
}

/** A job at work: what it does, how far it is, how long it will take, and a way to stop it. */
export function JobProgress({ job, title, onEnd, onCancel, className }: JobProgressProps) {
  const { t, format } = useI18n();
  const { share, step, total, etaSeconds } = useJobProgress(job, true, onEnd);
  return (
    <div
      role="status"
      data-testid="job-progress"
      className={cn("rounded-xl border border-line bg-surface px-5 py-4 shadow-card", className)}
    >
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <p className="font-medium">{title}</p>
        <p className="numeric flex items-center gap-3 text-ink-soft text-xs">
          {total !== null && (
            <span>
              {format.number(step)} / {format.number(total)}
            </span>
          )}
          {etaSeconds !== null && <span>{t("common.timeLeft", { time: format.duration(etaSeconds) })}</span>}
          {onCancel && (
            <Button size="small" variant="ghost" onClick={onCancel}>
              {t("common.stop")}
            </Button>
          )}
        </p>
      </div>
      <Progress label={title} value={share} className="mt-2.5" />
    </div>
  );
}
