import { useEffect, useRef, useState } from "react";
import { asApiError } from "@/api/errors";
import { openStream } from "@/api/stream";

export type StreamState = "idle" | "connecting" | "live" | "waiting" | "ended";

interface Options {
  /** Events after this offset are wanted; the server keeps them all. */
  from?: number;
  enabled: boolean;
  onEvent: (type: string, payload: Record<string, unknown>, offset: number) => void;
  /** Called whenever the stream is open (again). */
  onOpen?: () => void;
  /** True when no more events can come, so that an ended stream is not opened again. */
  isLast: (type: string, payload: Record<string, unknown>) => boolean;
}

const LONGEST_PAUSE_MS = 10_000;

/**
 * Follows the events of a job. A lost connection is opened again after a growing pause, from the last event that
 * arrived, so nothing is shown twice and nothing is missed.
 */
export function useEventStream(path: string, options: Options): StreamState {
  const [state, setState] = useState<StreamState>("idle");
  const latest = useRef(options);
  latest.current = options;
  const { enabled } = options;

  useEffect(() => {
    if (!enabled) {
      setState("idle");
      return;
    }
    const abort = new AbortController();
    let offset = latest.current.from ?? 0;
    let ended = false;

    const followOnce = async (onAlive: () => void) => {
      const headers: Record<string, string> = offset > 0 ? { "Last-Event-ID": String(offset) } : {};
      const events = await openStream(path, { headers, signal: abort.signal });
      if (events === null) {
        ended = true;
        return;
      }
      setState("live");
      latest.current.onOpen?.();
      for await (const { event, data, id } of events) {
        onAlive();
        if (id) offset = Number(id);
        const payload = JSON.parse(data) as Record<string, unknown>;
        latest.current.onEvent(event, payload, offset);
        if (latest.current.isLast(event, payload)) {
          ended = true;
          return;
        }
      }
    };

    const follow = async () => {
      let failures = 0;
      while (!abort.signal.aborted && !ended) {
        setState("connecting");
        try {
          await followOnce(() => {
            failures = 0;
          });
        } catch (error) {
          if (abort.signal.aborted) return;
          // A refusal (unknown job, not allowed) will not change by asking again.
          const { status } = asApiError(error);
          if (status >= 400 && status < 500) ended = true;
        }
        if (ended || abort.signal.aborted) break;
        failures += 1;
        setState("waiting");
        await pause(Math.min(LONGEST_PAUSE_MS, 250 * 2 ** failures), abort.signal);
      }
      if (!abort.signal.aborted) setState("ended");
    };

    void follow();
    return () => abort.abort();
  }, [path, enabled]);

  return state;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
