import { type EChartsOption, init } from 'echarts';
import { PALETTES } from './palette.js';

/** A chart as the text of an SVG file, in the colours of the light theme, on a white ground. */
export function renderSvg(option: EChartsOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(withColours({ backgroundColor: '@page', ...option }) as EChartsOption);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Puts colours where the names of colours stand: `@ink`. Functions stay as they are. */
function withColours(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith('@')) {
    return (PALETTES.light as Record<string, string>)[value.slice(1)] ?? value;
  }
  if (Array.isArray(value)) return value.map(withColours);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withColours(entry)]));
}
