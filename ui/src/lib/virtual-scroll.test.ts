import { describe, expect, it } from "vitest";
import { follow, LONGEST_TRACK_PX, offsetFor, placeAt, type ScrollPlace, trackOf, visibleRows } from "./virtual-scroll";

const ROWS = 1_000_000;
const HEIGHT = 56;
const VIEW = 600;

describe("scrolling through a million rows", () => {
  const track = trackOf(ROWS, HEIGHT, VIEW);

  it("has a track that a browser can draw", () => {
    expect(track.real).toBeLessThanOrEqual(LONGEST_TRACK_PX);
    expect(trackOf(10, HEIGHT, VIEW).real).toBe(10 * HEIGHT);
  });

  it.each([0, 1, 4_711, 500_000, 999_998, ROWS - 1])(
    "reaches row %i, and shows it where the scroll bar then is",
    (row) => {
      const place = placeAt(track, offsetFor(track, HEIGHT, row, 0, "center"));
      const range = visibleRows(track, HEIGHT, place.full, 0);
      expect(range.first).toBeLessThanOrEqual(row);
      expect(range.end).toBeGreaterThan(row);
      expect(place.real).toBeGreaterThanOrEqual(0);
      expect(place.real).toBeLessThanOrEqual(track.realRange);
    },
  );

  it("moves by the pixel when the wheel turns", () => {
    let place = placeAt(track, 30_000_000);
    for (let turn = 0; turn < 50; turn += 1) place = follow(track, place, place.real + 100);
    expect(place.full).toBe(30_005_000);
  });

  it("reaches both ends by the wheel alone", () => {
    let place: ScrollPlace = placeAt(track, 20_000);
    for (let turn = 0; turn < 400 && place.full > 0; turn += 1) {
      place = follow(track, place, Math.max(0, place.real - 120));
    }
    expect(place).toEqual({ full: 0, real: 0 });
    place = placeAt(track, track.fullRange - 20_000);
    for (let turn = 0; turn < 400 && place.full < track.fullRange; turn += 1) {
      place = follow(track, place, Math.min(track.realRange, place.real + 120));
    }
    expect(place).toEqual({ full: track.fullRange, real: track.realRange });
  });

  it("reads a pull at the scroll bar as a share of the rows", () => {
    const place = follow(track, { full: 0, real: 0 }, track.realRange / 2);
    expect(place.full / HEIGHT).toBeCloseTo(ROWS / 2, -2);
  });

  it("leaves a row alone that is in sight", () => {
    expect(offsetFor(track, HEIGHT, 3, 0, "nearest")).toBe(0);
    expect(offsetFor(track, HEIGHT, 20, 0, "nearest")).toBe(21 * HEIGHT - VIEW);
    expect(offsetFor(track, HEIGHT, 0, 500, "nearest")).toBe(0);
  });
});
