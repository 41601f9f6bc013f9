import { describe, expect, it } from "vitest";
import type { PackedAtLength } from "./queries";
import { costOf, STOPS, stopFor, usefulStops } from "./stops";

const SEQUENCES = [40, 90, 90, 300, 700];
const at = (length: number): PackedAtLength => {
  const kept = SEQUENCES.reduce((sum, tokens) => sum + Math.min(tokens, length), 0);
  const all = SEQUENCES.reduce((sum, tokens) => sum + tokens, 0);
  const truncated = SEQUENCES.filter((tokens) => tokens > length).length;
  return {
    length,
    truncated,
    truncated_share: truncated / SEQUENCES.length,
    tokens_kept: kept,
    tokens_cut: all - kept,
    tokens_cut_share: (all - kept) / all,
    packed_sequences: Math.ceil(kept / length),
    packing_efficiency: kept / (Math.ceil(kept / length) * length),
    padding_efficiency: 1,
    steps_per_epoch: 1,
    batch_tokens: length,
  };
};
const lengths = STOPS.map(at);

describe("the slider of lengths", () => {
  it("asks for no more lengths than one analysis takes", () => {
    expect(STOPS.length).toBeLessThanOrEqual(20);
    expect([...STOPS].sort((one, other) => one - other)).toEqual(STOPS);
  });

  it("ends where nothing is cut, or at what the model reads", () => {
    expect(usefulStops(lengths, null).at(-1)?.length).toBe(768);
    expect(usefulStops(lengths, 2048).at(-1)?.length).toBe(2048);
    expect(usefulStops(lengths, 256).at(-1)?.length).toBe(768);
    expect(usefulStops([at(64), at(128)], 4096)).toHaveLength(2);
  });

  it("stands at the length in the address, else at the first that cuts next to nothing", () => {
    const stops = usefulStops(lengths, 2048);
    expect(stops[stopFor(stops, 500)]?.length).toBe(512);
    expect(stops[stopFor(stops, 512)]?.truncated).toBe(1);
    expect(stops[stopFor(stops, 999_999)]?.length).toBe(2048);
    expect(stops[stopFor(stops, undefined)]?.length).toBe(768);
  });

  it("moves the share that is cut and the price with the length", () => {
    const [short, long] = [at(64), at(768)];
    expect(short.truncated_share).toBe(0.8);
    expect(long.truncated_share).toBe(0);
    expect(costOf(long, 2)).toBeCloseTo((1220 / 1e6) * 2);
    expect(costOf(short, 2)).toBeLessThan(costOf(long, 2));
  });
});
