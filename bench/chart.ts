import { init } from "echarts";

/** One figure of a run at one size. */
export interface Figure {
  readonly name: string;
  readonly size: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Medians against size as SVG, both axes logarithmic, a line for each name. */
export function lineChart(title: string, xName: string, figures: readonly Figure[]): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 900, height: 560 });
  const names = [...new Set(figures.map((one) => one.name))];
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: title, left: "center", top: 8 },
    legend: { bottom: 8, itemGap: 24, data: names },
    grid: { left: 70, right: 40, top: 60, bottom: 110 },
    xAxis: { type: "log", name: xName, nameLocation: "middle", nameGap: 32, minorSplitLine: { show: true } },
    yAxis: { type: "log", name: "in the unit of each line" },
    series: names.map((name) => ({
      name,
      type: "line",
      symbolSize: 7,
      data: figures.filter((one) => one.name === name).map((one) => [one.size, one.median]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // For who does not see it.
  return svg.replace(/(<svg[^>]*>)/, `$1<title>${title}</title>`);
}
