import { readStored, writeStored } from "@/lib/stored";

const STORAGE_KEY = "tunesmith.uploads";

export type UploadStage =
  | "chosen"
  | "waiting"
  | "sending"
  | "paused"
  | "reconnecting"
  | "file-needed"
  | "making"
  | "mapping"
  | "done"
  | "failed";

/** A file on its way to the server. */
export interface Upload {
  key: string;
  fileName: string;
  size: number;
  lastModified: number;
  /** Name of the dataset that it becomes. */
  name: string;
  version: string | null;
  stage: UploadStage;
  sent: number;
  uploadId: number | null;
  datasetId: number | null;
  error: unknown;
}

export function fresh(key: string, file: File): Upload {
  return {
    key,
    fileName: file.name,
    size: file.size,
    lastModified: file.lastModified,
    name: nameOf(file.name),
    version: null,
    stage: "chosen",
    sent: 0,
    uploadId: null,
    datasetId: null,
    error: null,
  };
}

const nameOf = (fileName: string) =>
  fileName.replace(/(\.(jsonl|json|csv|tsv|parquet))?(\.(gz|zst|zip))?$/i, "").normalize("NFC") || fileName;

export const isSameFile = (item: Upload, file: File) =>
  item.fileName === file.name && item.size === file.size && item.lastModified === file.lastModified;

export function remember(items: readonly Upload[]): void {
  const unfinished = items.filter((item) => item.uploadId !== null && item.stage !== "done");
  const kept = unfinished.map((item) => ({ ...item, error: null }));
  writeStored(STORAGE_KEY, kept.length > 0 ? JSON.stringify(kept) : null);
}

/** After a refresh the browser has no hold of the files any more: they have to be chosen again, but not sent again. */
export function remembered(): Upload[] {
  try {
    const kept = JSON.parse(readStored(STORAGE_KEY) ?? "[]") as Upload[];
    return kept.map((item) => ({ ...item, stage: item.stage === "mapping" ? "mapping" : "file-needed" }));
  } catch {
    return [];
  }
}
