import type { LineageEdge, LineageNode } from "./queries";

export interface PlacedNode {
  node: LineageNode;
  layer: number;
  place: number;
}

/** Puts every node right of all that it came from, and each layer in the order of what it came from. */
export function inLayers(nodes: readonly LineageNode[], edges: readonly LineageEdge[]): PlacedNode[] {
  const parents = new Map<string, string[]>(nodes.map((node) => [node.key, []]));
  for (const { source, target } of edges) if (parents.has(source)) parents.get(target)?.push(source);
  const layers = new Map<string, number>();
  const layerOf = (key: string, seen: ReadonlySet<string>): number => {
    const known = layers.get(key);
    if (known !== undefined) return known;
    if (seen.has(key)) return 0;
    const before = (parents.get(key) ?? []).map((parent) => layerOf(parent, new Set([...seen, key])));
    const layer = before.length === 0 ? 0 : Math.max(...before) + 1;
    layers.set(key, layer);
    return layer;
  };
  for (const node of nodes) layerOf(node.key, new Set());

  const placed = new Map<string, PlacedNode>();
  const count = Math.max(0, ...layers.values()) + 1;
  for (let layer = 0; layer < count; layer += 1) {
    const mean = (node: LineageNode) => {
      const places = (parents.get(node.key) ?? []).map((parent) => placed.get(parent)?.place ?? 0);
      return places.length === 0 ? 0 : places.reduce((sum, place) => sum + place, 0) / places.length;
    };
    nodes
      .filter((node) => layers.get(node.key) === layer)
      .map((node) => ({ node, order: mean(node) }))
      .sort((one, other) => one.order - other.order || one.node.created_at.localeCompare(other.node.created_at))
      .forEach(({ node }, place) => {
        placed.set(node.key, { node, layer, place });
      });
  }
  return nodes.flatMap((node) => placed.get(node.key) ?? []);
}
