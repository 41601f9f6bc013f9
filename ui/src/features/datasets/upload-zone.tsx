import { useNavigate } from "@tanstack/react-router";
import { FileUp, X } from "lucide-react";
import { type DragEvent, type SyntheticEvent, useRef, useState } from "react";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Progress } from "@/components/ui/progress";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { useUploadDataset } from "./queries";

const ACCEPTED = ".jsonl,.json,.csv";

/** Drop a file or pick one, name it, send it. */
export function UploadZone() {
  const { t, format } = useI18n();
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [isOver, setIsOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);

  const take = (files: FileList | null) => {
    const first = files?.[0];
    if (!first) return;
    setFile(first);
    setName(first.name.replace(/(\.(jsonl|json|csv))$/i, "").normalize("NFC"));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    take(event.dataTransfer.files);
  };

  if (file) {
    return (
      <UploadForm
        key={`${file.name}-${file.lastModified}`}
        file={file}
        name={name}
        onName={setName}
        onClose={() => setFile(null)}
      />
    );
  }
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
        "flex flex-col items-center gap-3 rounded-xl border-2 border-line-strong/70 border-dashed bg-surface px-6 py-9 text-center transition-colors sm:flex-row sm:text-start",
        isOver && "border-accent bg-accent-soft",
      )}
    >
      <span className="grid size-11 shrink-0 place-items-center rounded-full bg-accent-soft text-accent">
        <FileUp aria-hidden className="size-5" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{t("data.dropTitle")}</p>
        <p className="text-[0.8125rem] text-ink-soft">
          {t("data.dropText", { limit: format.bytes(100 * 1024 * 1024) })}
        </p>
      </div>
      <Button variant="primary" onClick={() => picker.current?.click()}>
        {t("data.pickFile")}
      </Button>
      <input
        ref={picker}
        type="file"
        accept={ACCEPTED}
        aria-label={t("data.pickFile")}
        className="sr-only"
        tabIndex={-1}
        onChange={(event) => take(event.currentTarget.files)}
      />
    </div>
  );
}

interface UploadFormProps {
  file: File;
  name: string;
  onName: (name: string) => void;
  onClose: () => void;
}

function UploadForm({ file, name, onName, onClose }: UploadFormProps) {
  const { t, format } = useI18n();
  const navigate = useNavigate();
  const upload = useUploadDataset();
  const [share, setShare] = useState(0);
  const abort = useRef<AbortController>(null);

  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    abort.current = new AbortController();
    upload.mutate(
      { file, name: name.trim(), onProgress: setShare, signal: abort.current.signal },
      { onSuccess: (dataset) => void navigate({ to: "/data/$id", params: { id: String(dataset.id) } }) },
    );
  };
  const close = () => {
    abort.current?.abort();
    onClose();
  };

  return (
    <form onSubmit={send} className="rounded-xl border border-line bg-surface p-5 shadow-card">
      <div className="mb-4 flex items-start justify-between gap-4">
        <p className="min-w-0">
          <span className="block truncate font-semibold">{file.name}</span>
          <span className="numeric text-[0.8125rem] text-ink-soft">{format.bytes(file.size)}</span>
        </p>
        <Button variant="ghost" size="icon" aria-label={t("common.cancel")} onClick={close}>
          <X aria-hidden />
        </Button>
      </div>
      <div className="flex flex-wrap items-end gap-3">
        <Field label={t("data.name")} className="min-w-56 flex-1">
          {(control) => (
            <Input
              {...control}
              value={name}
              maxLength={200}
              required
              autoFocus
              onChange={(event) => onName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit" variant="primary" pending={upload.isPending} disabled={name.trim() === ""}>
          {upload.isPending ? t("data.uploading", { percent: format.percent(share) }) : t("data.upload")}
        </Button>
      </div>
      {upload.isPending && <Progress label={t("data.upload")} value={share} className="mt-4" />}
      {upload.isError && <ProblemNotice error={upload.error} className="mt-4" />}
    </form>
  );
}
