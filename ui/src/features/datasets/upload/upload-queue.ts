import { asApiError } from "@/api/errors";
import { fresh, isSameFile, remember, remembered, type Upload } from "./upload";
import type { UploadTransport } from "./upload-transport";

/** Up to here a file goes in one form; larger ones go in parts, and go on after a break. */
export const LARGEST_FORM_BYTES = 8 * 1024 * 1024;
export const PART_BYTES = 8 * 1024 * 1024;
const LONGEST_PAUSE_MS = 15_000;
/** Refusals that asking how much has arrived sets right. */
const AGAIN = new Set(["upload-offset", "upload-busy"]);
const LOST = new Set([0, 408, 425, 429, 502, 503, 504]);

/** Sends files one after the other. It lives as long as the tab, whatever page is shown, and remembers what is half sent. */
export class UploadQueue {
  private items: Upload[];
  private readonly files = new Map<string, File>();
  private readonly aborts = new Map<string, AbortController>();
  private readonly listeners = new Set<() => void>();
  private readonly transport: UploadTransport;
  private readonly pause: (milliseconds: number) => Promise<void>;
  private isRunning = false;

  constructor(
    transport: UploadTransport,
    pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
  ) {
    this.transport = transport;
    this.pause = pause;
    this.items = remembered();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): readonly Upload[] => this.items;

  /** Takes files in. One that is known as half sent goes on where it stopped. */
  add(files: readonly File[]): void {
    for (const file of files) {
      const known = this.items.find((item) => item.stage === "file-needed" && isSameFile(item, file));
      if (known) {
        this.files.set(known.key, file);
        this.change(known.key, { stage: "waiting", error: null });
        continue;
      }
      const key = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
      this.files.set(key, file);
      this.items = [...this.items, fresh(key, file)];
    }
    this.tell();
    void this.run();
  }

  rename(key: string, name: string): void {
    this.change(key, { name });
  }

  /** Sends what has been chosen. */
  start(): void {
    for (const item of this.items)
      if (item.stage === "chosen") this.change(item.key, { stage: "waiting", error: null });
    void this.run();
  }

  hold(key: string): void {
    this.change(key, { stage: "paused" });
    this.aborts.get(key)?.abort();
  }

  /** Goes on after a pause or a failure; with a version where the name has the first one already. */
  resume(key: string, version: string | null = null): void {
    const needsFile = !this.files.has(key) && this.find(key)?.sent !== this.find(key)?.size;
    this.change(key, { stage: needsFile ? "file-needed" : "waiting", error: null, ...(version && { version }) });
    void this.run();
  }

  /** Takes a file out; what has arrived of it is removed from the server. */
  async cancel(key: string): Promise<void> {
    const item = this.find(key);
    this.items = this.items.filter((one) => one.key !== key);
    this.files.delete(key);
    this.tell();
    this.aborts.get(key)?.abort();
    if (item?.uploadId && item.stage !== "done") await this.transport.remove(item.uploadId).catch(() => undefined);
  }

  /** Takes a file out whose bytes have become a dataset. */
  forget(key: string): void {
    this.items = this.items.filter((item) => item.key !== key);
    this.files.delete(key);
    this.tell();
  }

  private find(key: string): Upload | undefined {
    return this.items.find((item) => item.key === key);
  }

  private change(key: string, change: Partial<Upload>): void {
    this.items = this.items.map((item) => (item.key === key ? { ...item, ...change } : item));
    this.tell();
  }

  private tell(): void {
    remember(this.items);
    for (const listener of this.listeners) listener();
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      for (let next = this.next(); next; next = this.next()) await this.send(next.key);
    } finally {
      this.isRunning = false;
    }
  }

  private next(): Upload | undefined {
    return this.items.find((item) => item.stage === "waiting");
  }

  private async send(key: string): Promise<void> {
    const abort = new AbortController();
    this.aborts.set(key, abort);
    this.change(key, { stage: "sending", error: null });
    try {
      const item = this.find(key);
      if (!item) return;
      if (item.size <= LARGEST_FORM_BYTES && item.uploadId === null) await this.sendForm(key, abort.signal);
      else await this.sendParts(key, abort.signal);
    } catch (error) {
      // Paused or cancelled: whoever asked for it has set the stage.
      if (abort.signal.aborted) return;
      this.change(key, { stage: "failed", error });
    } finally {
      this.aborts.delete(key);
    }
  }

  private async sendForm(key: string, signal: AbortSignal): Promise<void> {
    const item = this.find(key);
    const file = this.files.get(key);
    if (!item || !file) return;
    try {
      const onProgress = (sent: number) => this.change(key, { sent: Math.min(sent, item.size) });
      const made = await this.transport.sendForm(file, item.name.trim(), item.version, { signal, onProgress });
      this.change(key, { stage: "done", sent: item.size, datasetId: made });
    } catch (error) {
      // The columns are none that the formats know: the file is kept on the server while somebody says what they are.
      if (asApiError(error).code !== "missing-columns") throw error;
      this.change(key, { sent: 0 });
      await this.sendParts(key, signal);
    }
  }

  private async sendParts(key: string, signal: AbortSignal): Promise<void> {
    const item = this.find(key);
    if (!item) return;
    const id = item.uploadId ?? (await this.transport.begin(item.fileName, item.size));
    this.change(key, { uploadId: id });
    if (item.uploadId !== null) this.change(key, { sent: await this.transport.received(id) });
    await this.sendRest(key, id, signal);
    if (signal.aborted || this.find(key)?.stage === "file-needed") return;
    this.change(key, { stage: "making" });
    const { needsMapping } = await this.transport.complete(id);
    if (needsMapping) {
      this.change(key, { stage: "mapping" });
      return;
    }
    const { name, version } = this.find(key) ?? item;
    this.change(key, { datasetId: await this.transport.make(id, name.trim(), version), stage: "done" });
  }

  /** A lost connection is waited out: what has arrived is asked for, and the rest is sent. */
  private async sendRest(key: string, id: number, signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (let item = this.find(key); item && item.sent < item.size; item = this.find(key)) {
      const file = this.files.get(key);
      if (!file) {
        this.change(key, { stage: "file-needed" });
        return;
      }
      const from = item.sent;
      try {
        const part = file.slice(from, Math.min(from + PART_BYTES, item.size));
        const onProgress = (sent: number) => this.change(key, { sent: from + Math.min(sent, part.size) });
        this.change(key, {
          stage: "sending",
          sent: await this.transport.sendPart(id, from, part, { signal, onProgress }),
        });
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        const { status, code } = asApiError(error);
        if (!LOST.has(status) && !AGAIN.has(code)) throw error;
        failures += 1;
        this.change(key, { stage: "reconnecting", sent: from });
        await this.pause(Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures));
        if (signal.aborted) return;
        const received = await this.transport.received(id).catch(() => from);
        this.change(key, { sent: received });
      }
    }
  }
}
