import { vi } from "vitest";

type Handler = (request: Request) => Response | Promise<Response>;

/** Answers `fetch` from a table of "METHOD /path" to handlers; a call that is not in it fails the test by name. */
export function fakeServer(handlers: Record<string, Handler>): { calls: string[] } {
  const calls: string[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    const url = input instanceof Request ? input : new URL(String(input), window.location.origin);
    const request = url instanceof Request ? url : new Request(url, init);
    const call = `${request.method} ${new URL(request.url).pathname}`;
    calls.push(call);
    const handler = handlers[call];
    if (!handler) throw new Error(`The fake server has no handler for ${call}`);
    return handler(request);
  });
  return { calls };
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

export function problem(status: number, code: string, detail: string, more: Record<string, unknown> = {}): Response {
  return json(
    { type: code, code, title: "The server's title", status, detail, hint: "The server's hint", ...more },
    status,
  );
}

/** An event stream that ends after the given lines. */
export function stream(...chunks: string[]): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}
