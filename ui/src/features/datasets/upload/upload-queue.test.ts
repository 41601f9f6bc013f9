import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, unreachable } from "@/api/errors";
import type { UploadStage } from "./upload";
import { LARGEST_FORM_BYTES, PART_BYTES, UploadQueue } from "./upload-queue";
import type { UploadTransport } from "./upload-transport";

const big = (name = "대화.jsonl", size = 2 * PART_BYTES + 10) =>
  new File([new Uint8Array(size)], name, { lastModified: 1_700_000_000_000 });
const small = (name = "작은.csv") => new File(["a,b\n1,2\n"], name);
const refusal = (status: number, code: string) => new ApiError({ type: code, code, title: code, status, detail: "" });

/** A server that keeps what arrives, and can be made to fail. */
function server() {
  let received = 0;
  const transport = {
    sendForm: vi.fn<UploadTransport["sendForm"]>(async () => 7),
    begin: vi.fn<UploadTransport["begin"]>(async () => 1),
    sendPart: vi.fn<UploadTransport["sendPart"]>(async (_, offset, part) => {
      expect(offset).toBe(received);
      received += part.size;
      return received;
    }),
    received: vi.fn<UploadTransport["received"]>(async () => received),
    complete: vi.fn<UploadTransport["complete"]>(async () => ({ needsMapping: false })),
    make: vi.fn<UploadTransport["make"]>(async () => 9),
    remove: vi.fn<UploadTransport["remove"]>(async () => {
      received = 0;
    }),
  };
  return transport;
}

/** A part that does not get through until it is given up. */
const hanging: UploadTransport["sendPart"] = (_, __, ___, { signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
  });
const ended = (queue: UploadQueue, ...stages: UploadStage[]) =>
  vi.waitFor(() => expect(queue.snapshot().map((item) => item.stage)).toEqual(stages));
const atOnce = () => Promise.resolve();

describe("the upload queue", () => {
  beforeEach(() => localStorage.clear());

  it("sends a small file in one form and a large one in parts, one after the other", async () => {
    const transport = server();
    const queue = new UploadQueue(transport, atOnce);
    queue.add([small(), big()]);
    expect(queue.snapshot().map((item) => [item.name, item.stage])).toEqual([
      ["작은", "chosen"],
      ["대화", "chosen"],
    ]);
    queue.start();
    await ended(queue, "done", "done");
    expect(transport.sendForm).toHaveBeenCalledOnce();
    expect(transport.sendPart.mock.calls.map(([, offset]) => offset)).toEqual([0, PART_BYTES, 2 * PART_BYTES]);
    expect(queue.snapshot().map((item) => item.datasetId)).toEqual([7, 9]);
    expect(LARGEST_FORM_BYTES).toBe(8 * 1024 * 1024);
  });

  it("goes on from what has arrived when the connection breaks", async () => {
    const transport = server();
    const queue = new UploadQueue(transport, atOnce);
    transport.sendPart.mockRejectedValueOnce(unreachable()).mockRejectedValueOnce(refusal(503, "unavailable"));
    queue.add([big()]);
    queue.start();
    await ended(queue, "done");
    expect(transport.sendPart).toHaveBeenCalledTimes(5);
    expect(transport.received).toHaveBeenCalledTimes(2);
  });

  it("knows a half-sent file again after a refresh, and sends only the rest", async () => {
    const transport = server();
    const before = new UploadQueue(transport, atOnce);
    const keep = transport.sendPart.getMockImplementation() ?? (async () => 0);
    transport.sendPart.mockImplementationOnce(keep).mockImplementationOnce(hanging);
    before.add([big()]);
    before.start();
    await vi.waitFor(() => expect(transport.sendPart).toHaveBeenCalledTimes(2));
    before.hold(before.snapshot()[0]?.key ?? "");

    const after = new UploadQueue(transport, atOnce);
    expect(after.snapshot()).toMatchObject([{ stage: "file-needed", uploadId: 1, name: "대화" }]);
    after.add([big("다른.jsonl")]);
    expect(after.snapshot()).toHaveLength(2);
    const offsets = transport.sendPart.mock.calls.length;
    after.add([big()]);
    await vi.waitFor(() => expect(after.snapshot()[0]?.stage).toBe("done"));
    expect(transport.begin).toHaveBeenCalledOnce();
    expect(transport.sendPart.mock.calls[offsets]?.[1]).toBeGreaterThan(0);
  });

  it("leaves nothing on the server when it is cancelled", async () => {
    const transport = server();
    const queue = new UploadQueue(transport, atOnce);
    transport.sendPart.mockImplementationOnce(hanging);
    queue.add([big()]);
    queue.start();
    await vi.waitFor(() => expect(transport.sendPart).toHaveBeenCalledOnce());
    await queue.cancel(queue.snapshot()[0]?.key ?? "");
    expect(queue.snapshot()).toEqual([]);
    expect(transport.remove).toHaveBeenCalledWith(1);
    expect(new UploadQueue(transport).snapshot()).toEqual([]);
  });

  it("asks a person where the columns are none that it knows", async () => {
    const transport = server();
    const queue = new UploadQueue(transport, atOnce);
    transport.sendForm.mockRejectedValueOnce(refusal(422, "missing-columns"));
    transport.complete.mockResolvedValueOnce({ needsMapping: true });
    queue.add([small()]);
    queue.start();
    await ended(queue, "mapping");
    expect(transport.make).not.toHaveBeenCalled();
  });

  it("says why a file was refused, and tries again under a free version", async () => {
    const transport = server();
    const queue = new UploadQueue(transport, atOnce);
    transport.sendForm.mockRejectedValueOnce(refusal(409, "dataset-exists"));
    queue.add([small()]);
    queue.start();
    await ended(queue, "failed");
    queue.resume(queue.snapshot()[0]?.key ?? "", "1.1");
    await ended(queue, "done");
    expect(transport.sendForm.mock.calls[1]?.[2]).toBe("1.1");
  });
});
