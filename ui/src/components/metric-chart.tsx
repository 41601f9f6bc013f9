import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { tick } from "@/lib/tick";
import "./metric-chart.css";

export interface Series {
  name: string;
  /** A colour token: `--accent`. */
  color: string;
  values: (number | null)[];
  /** Thin and pale: the measured values behind their smoothed line. */
  faint?: boolean;
  /** Few points, far apart: dots joined by a line. */
  sparse?: boolean;
}

interface MetricChartProps {
  label: string;
  steps: number[];
  series: Series[];
  format: (value: number) => string;
  stepLabel: string;
  height?: number;
}

/** A line chart over steps. Imported lazily: the chart library is no part of the first load. */
export default function MetricChart({ label, steps, series, format, stepLabel, height = 190 }: MetricChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const latest = useRef({ series, format });
  latest.current = { series, format };
  const shape = series.map((one) => `${one.name}${one.color}${one.faint}${one.sparse}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new shape needs a new chart; new points do not
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const build = () => {
      chart.current?.destroy();
      chart.current = new uPlot(
        options(element, latest.current.series, latest.current.format, stepLabel, height),
        empty(series),
        element,
      );
      chart.current.setData(data(steps, latest.current.series));
    };
    build();
    const resize = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    const theme = new MutationObserver(build);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      resize.disconnect();
      theme.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape, stepLabel, height]);

  useEffect(() => {
    chart.current?.setData(data(steps, series));
  }, [steps, series]);

  return <div ref={box} role="img" aria-label={label} className="metric-chart w-full" />;
}

function data(steps: number[], series: Series[]): uPlot.AlignedData {
  return [steps, ...series.map((one) => one.values)];
}

function empty(series: Series[]): uPlot.AlignedData {
  return [[], ...series.map(() => [])];
}

function options(
  element: HTMLElement,
  series: Series[],
  format: (value: number) => string,
  stepLabel: string,
  height: number,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (token: string) => style.getPropertyValue(token).trim();
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis: uPlot.Axis = {
    stroke: color("--ink-faint"),
    font,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    padding: [8, 8, 0, 0],
    cursor: { y: false, points: { size: 7 }, sync: { key: "run" } },
    legend: { live: true },
    scales: { x: { time: false } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        values: (_, ticks) => ticks.map((step) => (Number.isInteger(step) ? String(step) : "")),
      },
      { ...axis, size: 58, values: (_, ticks, __, ___, step) => ticks.map((value) => tick(value, step)) },
    ],
    series: [
      { label: stepLabel },
      ...series.map(
        (one): uPlot.Series => ({
          label: one.name,
          ...(one.faint && { class: "faint-series" }),
          stroke: color(one.color),
          width: one.faint ? 1 : 2,
          alpha: one.faint ? 0.3 : 1,
          spanGaps: true,
          points: { show: (chart) => one.sparse || chart.data[0].length < 3, size: 6, fill: color(one.color) },
          value: (_, value) => (value === null || value === undefined ? "–" : format(value)),
        }),
      ),
    ],
  };
}
