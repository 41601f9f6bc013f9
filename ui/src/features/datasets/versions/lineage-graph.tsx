import { Link } from "@tanstack/react-router";
import { Database, Play } from "lucide-react";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { inLayers } from "./layers";
import type { Lineage, LineageNode } from "./queries";

const WIDTH = 200;
const HEIGHT = 62;
const GAP_X = 84;
const GAP_Y = 18;
const EDGE = 20;

/** What came from what, from left to right: versions, and the runs that read them. */
export function LineageGraph({ lineage }: { lineage: Lineage }) {
  const { t, known } = useI18n();
  const placed = inLayers(lineage.nodes, lineage.edges);
  const at = new Map(placed.map((one) => [one.node.key, one]));
  const x = (layer: number) => EDGE + layer * (WIDTH + GAP_X);
  const y = (place: number) => EDGE + place * (HEIGHT + GAP_Y);
  const width = x(Math.max(...placed.map((one) => one.layer))) + WIDTH + EDGE;
  const height = y(Math.max(...placed.map((one) => one.place))) + HEIGHT + EDGE;
  return (
    <div className="overflow-x-auto border-line border-t bg-sunken/40" data-testid="lineage">
      <div className="relative" style={{ width, height }}>
        <svg aria-hidden width={width} height={height} className="absolute inset-0">
          {lineage.edges.map((edge) => {
            const from = at.get(edge.source);
            const to = at.get(edge.target);
            if (!from || !to) return null;
            const [x1, y1] = [x(from.layer) + WIDTH, y(from.place) + HEIGHT / 2];
            const [x2, y2] = [x(to.layer), y(to.place) + HEIGHT / 2];
            const middle = Math.max(30, (x2 - x1) / 2);
            return (
              <g key={`${edge.source}-${edge.target}`}>
                <path
                  d={`M${x1},${y1} C${x1 + middle},${y1} ${x2 - middle},${y2} ${x2 - 5},${y2}`}
                  fill="none"
                  strokeWidth="1.5"
                  className="stroke-line-strong"
                />
                <path d={`M${x2 - 6},${y2 - 4} l6,4 l-6,4 z`} className="fill-line-strong" />
                <text
                  x={(x1 + x2) / 2}
                  y={(y1 + y2) / 2 - 6}
                  textAnchor="middle"
                  paintOrder="stroke"
                  strokeWidth="4"
                  className="fill-ink-soft stroke-surface text-[0.6875rem]"
                >
                  {known("steps", edge.operation, known("kinds", edge.operation, edge.operation))}
                </text>
              </g>
            );
          })}
        </svg>
        <ul>
          {placed.map(({ node, layer, place }) => (
            <li
              key={node.key}
              className="absolute"
              style={{ left: x(layer), top: y(place), width: WIDTH, height: HEIGHT }}
            >
              <NodeBox node={node} isCurrent={node.kind === "dataset" && node.id === lineage.dataset_id} />
            </li>
          ))}
        </ul>
      </div>
      {lineage.truncated && <p className="px-5 pb-4 text-ink-faint text-xs">{t("versions.more")}</p>}
    </div>
  );
}

function NodeBox({ node, isCurrent }: { node: LineageNode; isCurrent: boolean }) {
  const { t, known, format } = useI18n();
  const Icon = node.kind === "dataset" ? Database : Play;
  const classes = cn(
    "flex h-full flex-col justify-center rounded-lg border bg-surface px-3 text-[0.8125rem] shadow-card hover:border-accent",
    isCurrent ? "border-2 border-accent" : "border-line",
    (node.purged || node.status === "archived") && "border-dashed opacity-75",
  );
  const inside = (
    <>
      <span className="flex items-center gap-2">
        <Icon aria-hidden className="size-3.5 shrink-0 text-accent" />
        <span className="truncate font-medium">{node.name}</span>
        {node.version && <span className="numeric shrink-0 text-ink-faint">{node.version}</span>}
      </span>
      <span className="numeric truncate text-ink-faint text-xs">
        {known("states", node.purged ? "purged" : node.status, node.status)}
        {typeof node.rows === "number" && ` · ${t("data.rowCount", { count: node.rows })}`}
        {node.kind === "job" && ` · ${known("kinds", node.operation, node.operation)} #${format.number(node.id)}`}
      </span>
    </>
  );
  if (node.kind === "dataset") {
    return (
      <Link to="/data/$id/versions" params={{ id: String(node.id) }} className={classes} title={node.name}>
        {inside}
      </Link>
    );
  }
  return (
    <Link to="/runs/$id" params={{ id: String(node.id) }} className={classes} title={node.name}>
      {inside}
    </Link>
  );
}
