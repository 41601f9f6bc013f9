import { call } from "@/api/call";
import { uploadForm, uploadPart } from "@/api/upload";
import { DATASETS, type DatasetDetail } from "@/features/datasets/queries";
import { needsAPerson, proposeMapping } from "../mapping/queries";

interface SendOptions {
  signal: AbortSignal;
  onProgress: (bytes: number) => void;
}

/** How the queue speaks to the server. */
export interface UploadTransport {
  /** The whole file and its name in one form; answers the id of the dataset. */
  sendForm: (file: File, name: string, version: string | null, options: SendOptions) => Promise<number>;
  begin: (fileName: string, size: number) => Promise<number>;
  /** Answers how many bytes have arrived. */
  sendPart: (id: number, offset: number, part: Blob, options: SendOptions) => Promise<number>;
  received: (id: number) => Promise<number>;
  complete: (id: number) => Promise<{ needsMapping: boolean }>;
  make: (id: number, name: string, version: string | null) => Promise<number>;
  remove: (id: number) => Promise<void>;
}

const UPLOADS = "/api/v1/admin/uploads";

export interface ArrivingFile {
  id: number;
  file_name: string;
  size_bytes: number;
  received_bytes: number;
  state: string;
  expires_at: string;
}

export const httpTransport: UploadTransport = {
  sendForm: async (file, name, version, options) => {
    const form = new FormData();
    form.set("name", name);
    if (version) form.set("version", version);
    form.set("file", file);
    return (await uploadForm<DatasetDetail>(DATASETS, form, options)).id;
  },
  begin: async (file_name, size_bytes) =>
    (await call<ArrivingFile>("POST", UPLOADS, { body: { file_name, size_bytes } })).id,
  sendPart: async (id, offset, part, options) =>
    (await uploadPart<ArrivingFile>(`${UPLOADS}/${id}?offset=${offset}`, part, options)).received_bytes,
  received: async (id) => (await call<ArrivingFile>("GET", `${UPLOADS}/${id}`)).received_bytes,
  complete: async (id) => {
    await call<ArrivingFile>("POST", `${UPLOADS}/${id}/complete`);
    return { needsMapping: needsAPerson(await proposeMapping({ upload_id: id })) };
  },
  make: async (id, name, version) => (await makeDataset(id, name, version, null)).id,
  remove: async (id) => {
    await call("DELETE", `${UPLOADS}/${id}`);
  },
};

/** Makes a dataset of a file that has arrived. */
export function makeDataset(
  id: number,
  name: string,
  version: string | null,
  mapping: { format: string; columns: Record<string, string> } | null,
): Promise<DatasetDetail> {
  const form = new FormData();
  form.set("upload_id", String(id));
  form.set("name", name);
  if (version) form.set("version", version);
  if (mapping) {
    form.set("format", mapping.format);
    form.set("column_mapping", JSON.stringify(mapping.columns));
  }
  return uploadForm<DatasetDetail>(DATASETS, form);
}
