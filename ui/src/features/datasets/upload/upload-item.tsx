import { Link } from "@tanstack/react-router";
import { CircleCheck, Pause, Play, X } from "lucide-react";
import { asApiError } from "@/api/errors";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Progress } from "@/components/ui/progress";
import { useI18n } from "@/i18n";
import type { Upload, UploadStage } from "./upload";
import type { UploadQueue } from "./upload-queue";

const MOVING = new Set<UploadStage>(["sending", "reconnecting", "making"]);
const HALF = new Set<UploadStage>(["sending", "reconnecting", "paused", "file-needed", "making"]);

/** One file on its way: its name, how far it is, and how to stop it or go on. */
export function UploadItem({ upload, queue }: { upload: Upload; queue: UploadQueue }) {
  const { t, format } = useI18n();
  const { key, stage, size, sent } = upload;
  const share = size === 0 ? 1 : sent / size;
  return (
    <li className="px-5 py-3.5">
      <div className="flex items-start gap-3">
        <p className="min-w-0 flex-1">
          <span className="block truncate font-medium">{upload.fileName}</span>
          <span className="numeric text-[0.8125rem] text-ink-soft">
            {HALF.has(stage) && share > 0 && share < 1
              ? t("upload.part", { sent: format.bytes(sent), size: format.bytes(size), share: format.percent(share) })
              : format.bytes(size)}
            {stage !== "chosen" && stage !== "failed" && ` · ${t(`upload.stages.${stage}`)}`}
          </span>
        </p>
        {stage === "done" && upload.datasetId !== null && (
          <Button asChild size="small">
            <Link to="/data/$id" params={{ id: String(upload.datasetId) }}>
              <CircleCheck aria-hidden className="text-green" />
              {t("upload.open")}
            </Link>
          </Button>
        )}
        {stage === "mapping" && upload.uploadId !== null && (
          <Button asChild size="small" variant="primary">
            <Link
              to="/data/uploads/$upload"
              params={{ upload: String(upload.uploadId) }}
              search={{ name: upload.name }}
            >
              {t("upload.map")}
            </Link>
          </Button>
        )}
        {(stage === "sending" || stage === "reconnecting") && size > 0 && (
          <Button size="icon" variant="ghost" aria-label={t("upload.hold")} onClick={() => queue.hold(key)}>
            <Pause aria-hidden />
          </Button>
        )}
        {stage === "paused" && (
          <Button size="icon" variant="ghost" aria-label={t("upload.goOn")} onClick={() => queue.resume(key)}>
            <Play aria-hidden />
          </Button>
        )}
        <Button
          size="icon"
          variant="ghost"
          aria-label={`${t(stage === "done" ? "upload.takeAway" : "common.cancel")}: ${upload.fileName}`}
          onClick={() => void queue.cancel(key)}
        >
          <X aria-hidden />
        </Button>
      </div>
      {stage === "chosen" && (
        <Field label={t("data.name")} className="mt-2 max-w-md">
          {(control) => (
            <Input
              {...control}
              value={upload.name}
              maxLength={200}
              required
              onChange={(event) => queue.rename(key, event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      {(MOVING.has(stage) || stage === "paused" || stage === "file-needed") && (
        <Progress
          label={upload.fileName}
          value={stage === "making" ? null : share}
          tone={stage === "sending" || stage === "making" ? "accent" : "amber"}
          className="mt-2.5"
        />
      )}
      {stage === "file-needed" && <p className="mt-2 text-[0.8125rem] text-amber">{t("upload.chooseAgain")}</p>}
      {stage === "failed" && <Failure upload={upload} queue={queue} />}
    </li>
  );
}

function Failure({ upload, queue }: { upload: Upload; queue: UploadQueue }) {
  const { t } = useI18n();
  const { problem, code } = asApiError(upload.error);
  const free = code === "dataset-exists" ? nextVersion(problem) : null;
  return (
    <div className="mt-3">
      <ProblemNotice error={upload.error} {...(!free && { onRetry: () => queue.resume(upload.key) })} />
      {free && (
        <Button className="mt-3" onClick={() => queue.resume(upload.key, free)}>
          {t("upload.asVersion", { name: upload.name, version: free })}
        </Button>
      )}
    </div>
  );
}

function nextVersion(problem: object): string | null {
  const { next_version: free } = problem as { next_version?: unknown };
  return typeof free === "string" ? free : null;
}
