import { type EChartsOption, init } from "echarts";

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
  const names = [...new Set(figures.map((one) => one.name))];
  return render(title, null, 900, 560, {
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
}

/** @param description what the plot shows in words, for who does not see it */
export function render(
  title: string,
  description: string | null,
  width: number,
  height: number,
  option: EChartsOption,
): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: title, left: "center", top: 8 },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const words = `<title>${asXml(title)}</title>${description === null ? "" : `<desc>${asXml(description)}</desc>`}`;
  return svg.replace(/(<svg[^>]*>)/, (tag) => `${tag.replace(">", ' role="img">')}${words}`);
}

function asXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
