import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { datasetQueries } from "@/features/datasets/queries";
import type { Upload } from "./upload";
import { UploadQueue } from "./upload-queue";
import { httpTransport } from "./upload-transport";

let queue: UploadQueue | undefined;

/** The one queue of this tab. It goes on while other pages are shown. */
function theQueue(): UploadQueue {
  queue ??= new UploadQueue(httpTransport);
  return queue;
}

export function useUploadQueue(): [readonly Upload[], UploadQueue] {
  const uploads = theQueue();
  const items = useSyncExternalStore(uploads.subscribe, uploads.snapshot);
  const client = useQueryClient();
  const ended = items.filter((item) => item.stage === "done").length;
  useEffect(() => {
    if (ended > 0) void client.invalidateQueries({ queryKey: datasetQueries.all() });
  }, [ended, client]);

  const isSending = items.some((item) => item.stage === "sending" || item.stage === "reconnecting");
  useEffect(() => {
    if (!isSending) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isSending]);
  return [items, uploads];
}
