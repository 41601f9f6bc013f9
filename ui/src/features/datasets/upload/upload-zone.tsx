import { useNavigate } from "@tanstack/react-router";
import { FileUp } from "lucide-react";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { UploadItem } from "./upload-item";
import { useUploadQueue } from "./use-upload-queue";

const ENDINGS = [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".gz", ".zst", ".zip"];

/** Drop files or pick them, name them, send them. */
export function UploadZone() {
  const { t } = useI18n();
  const navigate = useNavigate();
  const [items, queue] = useUploadQueue();
  const [isOver, setIsOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  /** The upload that the person waits for: where only one was sent, its page opens by itself. */
  const [awaited, setAwaited] = useState<string | null>(null);

  const chosen = items.filter((item) => item.stage === "chosen");
  const isReady = chosen.length > 0 && chosen.every((item) => item.name.trim() !== "");
  const take = (files: FileList | null) => {
    if (files && files.length > 0) queue.add([...files]);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    take(event.dataTransfer.files);
  };

  const waitedFor = items.find((item) => item.key === awaited);
  useEffect(() => {
    if (waitedFor?.stage === "done" && waitedFor.datasetId !== null) {
      queue.forget(waitedFor.key);
      void navigate({ to: "/data/$id", params: { id: String(waitedFor.datasetId) } });
    } else if (waitedFor?.stage === "mapping" && waitedFor.uploadId !== null) {
      const params = { upload: String(waitedFor.uploadId) };
      void navigate({ to: "/data/uploads/$upload", params, search: { name: waitedFor.name } });
    }
  }, [waitedFor, queue, navigate]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a mouse shortcut for the button inside
    <div
      data-testid="drop-zone"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
      className={cn(
        "rounded-xl border-2 border-line-strong/70 border-dashed bg-surface transition-colors",
        isOver && "border-accent bg-accent-soft",
      )}
    >
      <div
        className={cn(
          "flex flex-col items-center gap-3 px-6 py-9 text-center sm:flex-row sm:text-start",
          items.length > 0 && "py-5",
        )}
      >
        <span className="grid size-11 shrink-0 place-items-center rounded-full bg-accent-soft text-accent">
          <FileUp aria-hidden className="size-5" />
        </span>
        <div className="min-w-0 flex-1">
          <p className="font-semibold">{t("upload.dropTitle")}</p>
          <p className="text-[0.8125rem] text-ink-soft">{t("upload.dropText")}</p>
        </div>
        <Button variant={chosen.length > 0 ? "secondary" : "primary"} onClick={() => picker.current?.click()}>
          {t("upload.pick")}
        </Button>
        <input
          ref={picker}
          type="file"
          multiple
          accept={ENDINGS.join()}
          aria-label={t("upload.pick")}
          className="sr-only"
          tabIndex={-1}
          onChange={(event) => {
            take(event.currentTarget.files);
            // The same file may be chosen again, to go on with it.
            event.currentTarget.value = "";
          }}
        />
      </div>
      {items.length > 0 && (
        <form
          className="rounded-b-[0.625rem] border-line border-t bg-raised"
          onSubmit={(event) => {
            event.preventDefault();
            setAwaited(chosen.length === 1 ? (chosen[0]?.key ?? null) : null);
            queue.start();
          }}
        >
          <ul data-testid="uploads" className="divide-y divide-line">
            {items.map((item) => (
              <UploadItem key={item.key} upload={item} queue={queue} />
            ))}
          </ul>
          {chosen.length > 0 && (
            <div className="flex justify-end border-line border-t px-5 py-3">
              <Button type="submit" variant="primary" disabled={!isReady}>
                {chosen.length === 1 ? t("upload.send") : t("upload.sendMany", { count: chosen.length })}
              </Button>
            </div>
          )}
        </form>
      )}
    </div>
  );
}
