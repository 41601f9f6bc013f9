import { renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { fakeServer, problem, stream } from "@/test/fake-server";
import { useEventStream } from "./use-event-stream";

const event = (offset: number, type: string, payload: object) =>
  `event: ${type}\nid: ${offset}\ndata: ${JSON.stringify({ ...payload, type, offset })}\n\n`;
const isLast = (type: string, payload: Record<string, unknown>) => type === "state" && payload.state === "succeeded";

function follow(from: number) {
  const seen: [string, number][] = [];
  const view = renderHook(() =>
    useEventStream("/events", {
      enabled: true,
      from,
      isLast,
      onEvent: (type, _, offset) => void seen.push([type, offset]),
    }),
  );
  return { seen, view };
}

describe("following a job", () => {
  it("starts after what is already there, and goes on after a break from the last event", async () => {
    const asked: (string | null)[] = [];
    fakeServer({
      "GET /events": (request) => {
        asked.push(request.headers.get("Last-Event-ID"));
        if (asked.length === 1) return stream(event(5, "metric", {}), event(6, "log", {}));
        return stream(event(7, "state", { state: "succeeded" }));
      },
    });
    const { seen, view } = follow(4);
    await waitFor(() => expect(view.result.current).toBe("ended"), { timeout: 3_000 });
    expect(asked).toEqual(["4", "6"]);
    expect(seen).toEqual([
      ["metric", 5],
      ["log", 6],
      ["state", 7],
    ]);
  });

  it("puts together events that arrive in pieces", async () => {
    const whole = event(1, "log", { message: "안녕" }) + event(2, "state", { state: "succeeded" });
    fakeServer({ "GET /events": () => stream(whole.slice(0, 17), whole.slice(17, 40), whole.slice(40)) });
    const { seen, view } = follow(0);
    await waitFor(() => expect(view.result.current).toBe("ended"));
    expect(seen).toEqual([
      ["log", 1],
      ["state", 2],
    ]);
  });

  it("does not ask again where there is nothing more (204) or the server refuses", async () => {
    for (const answer of [new Response(null, { status: 204 }), problem(404, "job-not-found", "No job 1.")]) {
      const { calls } = fakeServer({ "GET /events": () => answer });
      const { view } = follow(0);
      await waitFor(() => expect(view.result.current).toBe("ended"));
      expect(calls).toHaveLength(1);
      view.unmount();
    }
  });
});
