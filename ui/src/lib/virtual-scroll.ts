/**
 * Scrolling through more rows than a page can be high: browsers draw no element beyond some 17 million pixels, and a
 * million rows are longer than that. The scroll bar then runs over a shorter track; small movements stay exact to the
 * pixel, long ones are read as a share of the whole.
 */
export interface Track {
  /** Height of all rows. */
  full: number;
  /** Height of the element that really scrolls. */
  real: number;
  /** The farthest that one can be scrolled, in each of the two. */
  fullRange: number;
  realRange: number;
  viewHeight: number;
}

export interface ScrollPlace {
  full: number;
  real: number;
}

export const LONGEST_TRACK_PX = 6_000_000;
/** So far from either end a pixel of the bar is a pixel of the rows, so that the wheel reaches the ends at its own pace. */
const EXACT_PX = 20_000;

export function trackOf(rows: number, rowHeight: number, viewHeight: number): Track {
  const full = rows * rowHeight;
  const real = Math.min(full, Math.max(LONGEST_TRACK_PX, viewHeight));
  return {
    full,
    real,
    fullRange: Math.max(0, full - viewHeight),
    realRange: Math.max(0, real - viewHeight),
    viewHeight,
  };
}

const clamp = (value: number, most: number) => Math.min(most, Math.max(0, value));

/** Where the scroll bar belongs for a place among the rows. */
export function placeAt(track: Track, full: number): ScrollPlace {
  const at = clamp(full, track.fullRange);
  const fromEnd = track.fullRange - at;
  if (isWhole(track) || at <= EXACT_PX) return { full: at, real: at };
  if (fromEnd <= EXACT_PX) return { full: at, real: track.realRange - fromEnd };
  const { real, full: between } = betweenEnds(track);
  return { full: at, real: Math.round(EXACT_PX + ((at - EXACT_PX) / between) * real) };
}

function fullAt(track: Track, real: number): number {
  const at = clamp(real, track.realRange);
  const fromEnd = track.realRange - at;
  if (isWhole(track) || at <= EXACT_PX) return at;
  if (fromEnd <= EXACT_PX) return track.fullRange - fromEnd;
  const { real: between, full } = betweenEnds(track);
  return EXACT_PX + ((at - EXACT_PX) / between) * full;
}

const isWhole = (track: Track) => track.full === track.real;
const betweenEnds = (track: Track) => ({
  real: track.realRange - 2 * EXACT_PX,
  full: track.fullRange - 2 * EXACT_PX,
});

/** Where one is after the scroll bar has moved. `real` differs from where it stands only when it has to be set right. */
export function follow(track: Track, old: ScrollPlace, real: number): ScrollPlace {
  if (isWhole(track)) return { full: clamp(real, track.fullRange), real };
  const moved = real - old.real;
  if (Math.abs(moved) > 2 * track.viewHeight) return { full: fullAt(track, real), real };
  const full = clamp(old.full + moved, track.fullRange);
  const isAtAnEnd = real <= 0 || real >= track.realRange || full === 0 || full === track.fullRange;
  return isAtAnEnd ? placeAt(track, full) : { full, real };
}

export interface RowRange {
  first: number;
  /** Exclusive. */
  end: number;
}

/** The rows in sight, and a few on either side. */
export function visibleRows(track: Track, rowHeight: number, full: number, beside = 4): RowRange {
  const rows = Math.round(track.full / rowHeight);
  const first = Math.max(0, Math.floor(full / rowHeight) - beside);
  return { first, end: Math.min(rows, Math.ceil((full + track.viewHeight) / rowHeight) + beside) };
}

/** How far to scroll so that a row is wholly in sight; where it is already, nothing moves. */
export function offsetFor(
  track: Track,
  rowHeight: number,
  index: number,
  full: number,
  align: "nearest" | "center",
): number {
  const top = index * rowHeight;
  if (align === "center") return clamp(top - (track.viewHeight - rowHeight) / 2, track.fullRange);
  if (top < full) return top;
  if (top + rowHeight > full + track.viewHeight) return clamp(top + rowHeight - track.viewHeight, track.fullRange);
  return full;
}
