import { RotateCcw, X } from "lucide-react";
import { useState } from "react";
import { isActive } from "@/api/jobs";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { type Job, useEndJob } from "./queries";

/** The way out of a job's state: cancel what goes on (it asks first), retry what has ended badly. */
export function JobActions({ job, size = "small" }: { job: Job; size?: "small" | "medium" }) {
  const { t } = useI18n();
  const end = useEndJob();
  const [isAsking, setIsAsking] = useState(false);
  if (isActive(job.state)) {
    return (
      <>
        <Button size={size} variant="ghost" pending={end.isPending} onClick={() => setIsAsking(true)}>
          <X aria-hidden />
          {t("jobs.cancel")}
        </Button>
        <ConfirmDialog
          open={isAsking}
          title={job.name}
          text={t("jobs.cancelAsk")}
          confirm={t("jobs.cancelConfirm")}
          onClose={() => setIsAsking(false)}
          onConfirm={() => end.mutate({ id: job.id, how: "cancel" })}
        />
      </>
    );
  }
  if (job.state === "succeeded") return null;
  return (
    <Button size={size} pending={end.isPending} onClick={() => end.mutate({ id: job.id, how: "retry" })}>
      <RotateCcw aria-hidden />
      {t("jobs.retry")}
    </Button>
  );
}
