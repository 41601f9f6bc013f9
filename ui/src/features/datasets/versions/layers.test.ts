import { describe, expect, it } from "vitest";
import { inLayers } from "./layers";
import type { LineageEdge, LineageNode } from "./queries";

const node = (key: string, created_at = "2026-01-01"): LineageNode => ({
  key,
  kind: "dataset",
  id: 1,
  name: key,
  version: "1.0",
  status: "ready",
  operation: "edit",
  rows: 1,
  created_at,
  purged: false,
});
const edge = (source: string, target: string): LineageEdge => ({ source, target, operation: "edit", diff: null });

describe("the layers of a lineage", () => {
  it("puts a version right of everything that it came from", () => {
    const placed = inLayers(
      ["d", "c", "b", "a"].map((key) => node(key)),
      [edge("a", "b"), edge("b", "c"), edge("a", "d"), edge("c", "d")],
    );
    const layers = Object.fromEntries(placed.map((one) => [one.node.key, one.layer]));
    expect(layers).toEqual({ a: 0, b: 1, c: 2, d: 3 });
  });

  it("gives each node of a layer a place of its own, older ones first", () => {
    const nodes = [node("a"), node("new", "2026-02-02"), node("old", "2026-01-02")];
    const placed = inLayers(nodes, [edge("a", "new"), edge("a", "old")]);
    const places = Object.fromEntries(placed.map((one) => [one.node.key, one.place]));
    expect(places).toEqual({ a: 0, old: 0, new: 1 });
  });

  it("ends on a circle and on an arrow from nowhere", () => {
    const placed = inLayers([node("a"), node("b")], [edge("a", "b"), edge("b", "a"), edge("gone", "a")]);
    expect(placed).toHaveLength(2);
  });
});
