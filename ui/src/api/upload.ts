import { idempotency } from "@/api/client";
import { toApiError, unreachable } from "@/api/errors";

interface SendOptions {
  /** Told how many bytes have been sent. */
  onProgress?: (bytes: number) => void;
  signal?: AbortSignal;
}

/** Sends a form with a file in one go. */
export function uploadForm<T>(path: string, form: FormData, options: SendOptions = {}): Promise<T> {
  return send<T>("POST", path, form, idempotency(), options);
}

/** Sends a part of a file as it is. */
export function uploadPart<T>(path: string, part: Blob, options: SendOptions = {}): Promise<T> {
  return send<T>("PUT", path, part, { "Content-Type": "application/octet-stream" }, options);
}

/** `fetch` cannot tell how much has been sent, `XMLHttpRequest` can. */
function send<T>(
  method: string,
  path: string,
  body: FormData | Blob,
  headers: Record<string, string>,
  { onProgress, signal }: SendOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const aborted = () => new DOMException("The upload was cancelled", "AbortError");
    if (signal?.aborted) {
      reject(aborted());
      return;
    }
    request.open(method, path);
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress?.(event.loaded);
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(answer as T);
      else reject(toApiError(request.status, answer));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(aborted());
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
