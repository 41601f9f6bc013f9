import type { PackedAtLength } from "./queries";

/** The lengths that the slider stops at. One analysis answers for all of them, so moving it asks nothing more. */
export const STOPS = [
  64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 65536,
];

/** The stops worth showing: up to the first that cuts nothing, or the model's own limit where that is longer. */
export function usefulStops(lengths: readonly PackedAtLength[], contextLength: number | null): PackedAtLength[] {
  const whole = lengths.findIndex((one) => one.truncated === 0);
  const context = contextLength === null ? -1 : lengths.findLastIndex((one) => one.length <= contextLength);
  const last = whole < 0 ? lengths.length - 1 : Math.max(whole, context);
  return lengths.slice(0, last + 1);
}

/** The stop for a length in the address: the next one up, or the last. Without one, the first that cuts next to nothing. */
export function stopFor(stops: readonly PackedAtLength[], length: number | undefined): number {
  const place =
    length === undefined
      ? stops.findIndex((stop) => stop.truncated_share <= 0.01)
      : stops.findIndex((stop) => stop.length >= length);
  return place < 0 ? stops.length - 1 : place;
}

/** What one pass costs at this length. */
export const costOf = (stop: PackedAtLength, pricePerMillion: number) => (stop.tokens_kept / 1e6) * pricePerMillion;
