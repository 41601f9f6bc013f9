import { toApiError, unreachable } from "@/api/errors";
import { readEvents, type ServerEvent } from "@/lib/sse";

/** Opens an event stream; null where nothing more can come (204). Refusals and a server that does not answer are thrown as `ApiError`. */
export async function openStream(path: string, init: RequestInit): Promise<AsyncGenerator<ServerEvent> | null> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { Accept: "text/event-stream", ...init.headers } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (response.status === 204) return null;
  if (!response.ok || !response.body) {
    const text = await response.text();
    throw toApiError(response.status, parse(text));
  }
  return readEvents(response.body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
