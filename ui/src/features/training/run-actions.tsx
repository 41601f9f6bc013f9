import { useNavigate } from "@tanstack/react-router";
import { Play, Square, Trash2, X } from "lucide-react";
import { useState } from "react";
import { isActive } from "@/api/jobs";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { useEndJob } from "@/features/jobs/queries";
import { useI18n } from "@/i18n";
import { isMoving, isStopping, type Run, useDeleteRun, useResumeRun, useStopRun } from "./queries";
import type { Stage } from "./use-stages";

/** Stop keeps a checkpoint, resume goes on from it, cancel throws the work away (and asks first). */
export function RunActions({ run, stages }: { run: Run; stages: Stage[] }) {
  const { t } = useI18n();
  const stop = useStopRun(run.id);
  const resume = useResumeRun(run.id);
  const cancel = useEndJob();
  const remove = useDeleteRun(run.id);
  const navigate = useNavigate();
  const [isDeleting, setIsDeleting] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const active = stages.find((stage) => isActive(stage.state) && stage.state !== "waiting");
  const isTraining = isMoving(run);
  const failed = stop.error ?? resume.error ?? cancel.error ?? remove.error;

  return (
    <>
      {isTraining && (
        <Button title={t("runs.stopTitle")} pending={stop.isPending || isStopping(run)} onClick={() => stop.mutate()}>
          <Square aria-hidden />
          {t("runs.stop")}
        </Button>
      )}
      {!isTraining && (run.status === "stopped" || run.status === "failed") && (
        <Button variant="primary" pending={resume.isPending} onClick={() => resume.mutate()}>
          <Play aria-hidden />
          {t("runs.resume")}
        </Button>
      )}
      {active && !isAsking && (
        <Button variant="danger" title={t("runs.cancelTitle")} onClick={() => setIsAsking(true)}>
          <X aria-hidden />
          {t("runs.cancel")}
        </Button>
      )}
      {active && isAsking && (
        <div
          role="alertdialog"
          aria-label={t("runs.cancel")}
          className="w-full max-w-md rounded-lg border border-red/30 bg-red-soft p-3"
        >
          <p className="mb-2 text-[0.8125rem]">{t("runs.cancelAsk")}</p>
          <div className="flex gap-2">
            <Button
              size="small"
              variant="danger"
              pending={cancel.isPending}
              onClick={() =>
                cancel.mutate({ id: active.jobId, how: "cancel" }, { onSettled: () => setIsAsking(false) })
              }
            >
              {t("runs.cancelConfirm")}
            </Button>
            <Button size="small" autoFocus onClick={() => setIsAsking(false)}>
              {t("runs.keepRunning")}
            </Button>
          </div>
        </div>
      )}
      {!active && !isTraining && (
        <>
          <Button variant="ghost" pending={remove.isPending} onClick={() => setIsDeleting(true)}>
            <Trash2 aria-hidden />
            {t("runs.delete")}
          </Button>
          <ConfirmDialog
            open={isDeleting}
            title={t("runs.deleteTitle")}
            text={t("runs.deleteText")}
            confirm={t("runs.deleteConfirm")}
            onClose={() => setIsDeleting(false)}
            onConfirm={() => remove.mutate(undefined, { onSuccess: () => void navigate({ to: "/runs" }) })}
          />
        </>
      )}
      {failed && <ProblemNotice error={failed} className="w-full" />}
    </>
  );
}
