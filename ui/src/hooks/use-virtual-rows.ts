import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import {
  follow,
  offsetFor,
  placeAt,
  type RowRange,
  type ScrollPlace,
  trackOf,
  visibleRows,
} from "@/lib/virtual-scroll";

interface VirtualRows {
  scroller: RefObject<HTMLDivElement | null>;
  /** Height to give to the element that scrolls. */
  trackHeight: number;
  viewHeight: number;
  range: RowRange;
  /** Where a row stands below the header, in pixels. */
  topOf: (index: number) => number;
  scrollToRow: (index: number, align?: "nearest" | "center") => void;
}

const AT_REST_MS = 180;

/** Which of very many rows of one height are in sight, and how to get to any of them. */
export function useVirtualRows(rows: number, rowHeight: number, headerHeight: number): VirtualRows {
  const scroller = useRef<HTMLDivElement>(null);
  const [viewHeight, setViewHeight] = useState(0);
  const [full, setFull] = useState(0);
  const place = useRef<ScrollPlace>({ full: 0, real: 0 });
  const wanted = useRef<{ index: number; align: "nearest" | "center" } | null>(null);
  const track = useMemo(() => trackOf(rows, rowHeight, viewHeight), [rows, rowHeight, viewHeight]);

  const moveTo = useCallback((next: ScrollPlace) => {
    place.current = next;
    const element = scroller.current;
    if (element && Math.abs(element.scrollTop - next.real) >= 1) element.scrollTop = next.real;
    setFull(next.full);
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setViewHeight(Math.max(0, element.clientHeight - headerHeight));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [headerHeight]);

  // A row that was asked for before there was anything to scroll is shown as soon as there is.
  useLayoutEffect(() => {
    if (viewHeight === 0 || rows === 0) return;
    const { index, align } = wanted.current ?? {};
    wanted.current = null;
    if (index !== undefined)
      moveTo(placeAt(track, offsetFor(track, rowHeight, index, place.current.full, align ?? "center")));
    else moveTo(placeAt(track, place.current.full));
  }, [track, rowHeight, viewHeight, rows, moveTo]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let resting: ReturnType<typeof setTimeout> | undefined;
    const onScroll = () => {
      const real = element.scrollTop;
      if (Math.abs(real - place.current.real) < 1) return;
      moveTo(follow(track, place.current, real));
      clearTimeout(resting);
      // Many small movements leave the bar a little beside its place: set it right when nobody is looking.
      resting = setTimeout(() => moveTo(placeAt(track, place.current.full)), AT_REST_MS);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      clearTimeout(resting);
      element.removeEventListener("scroll", onScroll);
    };
  }, [track, moveTo]);

  const scrollToRow = useCallback(
    (index: number, align: "nearest" | "center" = "nearest") => {
      if (track.viewHeight === 0 || track.full === 0) wanted.current = { index, align };
      else moveTo(placeAt(track, offsetFor(track, rowHeight, index, place.current.full, align)));
    },
    [track, rowHeight, moveTo],
  );

  return {
    scroller,
    trackHeight: track.real,
    viewHeight,
    range: visibleRows(track, rowHeight, full),
    topOf: (index) => index * rowHeight - full,
    scrollToRow,
  };
}
