import { BASES, figure, type Result } from "@pawl/bench";
import { render } from "../chart.ts";
import { TARGETS } from "../targets/index.ts";

export interface Plot {
  /** Of its file, without the ending. */
  readonly name: string;
  readonly title: string;
  readonly cells: (cell: string) => boolean;
}

/** What is compared in one picture has to be of one size. */
export const PLOTS: readonly Plot[] = [
  {
    name: "bench-rates",
    title: "Throughput against plain TCP: more is better",
    cells: (cell) => /^(rtt|handshake|rounds)/.test(cell),
  },
  {
    name: "bench-times",
    title: "Latency and processor time against plain TCP: less is better",
    cells: (cell) => /^(p50|p99|cpu)/.test(cell),
  },
  {
    name: "bench-memory",
    title: "Memory of an idle connection against plain TCP: less is better",
    cells: (cell) => cell === "idle-memory",
  },
];

/** One bar a target, in groups by cell: its ratio to plain `net`, which is the line at 1. */
export function barChart({ title, cells: shown }: Plot, results: readonly Result[]): string {
  const bars = results.filter(({ cell, ratioNet }) => shown(cell) && ratioNet !== null);
  const cells = [...new Set(bars.map(({ cell }) => cell))];
  const targets = [...new Set(bars.map(({ target }) => target))].filter((name) => name !== BASES.net);
  const ratio = (cell: string, target: string) =>
    bars.find((bar) => bar.cell === cell && bar.target === target)?.ratioNet ?? null;
  return render(title, descriptionOf(bars), Math.max(700, 140 + cells.length * targets.length * 17), 520, {
    legend: { bottom: 8, itemGap: 20, data: targets },
    grid: { left: 60, right: 50, top: 60, bottom: 100 },
    xAxis: { type: "category", data: cells, axisTick: { show: false } },
    yAxis: { type: "value", name: "÷ net", min: 0 },
    series: targets.map((target, index) => ({
      name: target,
      type: "bar",
      barGap: "5%",
      itemStyle: { color: colourOf(target) },
      data: cells.map((cell) => ratio(cell, target)),
      ...(index === 0 ? { markLine: NET_LINE } : {}),
    })),
  });
}

/** In the order of the targets behind `net`: peers in greys and browns, Pawl's suites in blue and green, the fallback paler. */
const COLOURS = ["#8c8c8c", "#bdbdbd", "#c49a6c", "#e0c9a6", "#1f5fa8", "#9ec3ea", "#1e8a5a", "#9bd6b8"];

function colourOf(target: string): string {
  const names = Object.keys(TARGETS).filter((name) => name !== BASES.net);
  return COLOURS[names.indexOf(target) % COLOURS.length] ?? "#000000";
}

const NET_LINE = {
  silent: true,
  symbol: "none",
  lineStyle: { color: "#333333", type: "dashed" as const },
  label: { formatter: "net", position: "end" as const },
  data: [{ yAxis: 1 }],
};

function descriptionOf(bars: readonly Result[]): string {
  return bars
    .filter(({ target }) => target !== BASES.net)
    .map(({ cell, target, ratioNet }) => `${cell} ${target} ${figure(ratioNet ?? Number.NaN)}`)
    .join("; ");
}
