import { base, MARGINS, xAxis, yAxis } from './axes.js';
import type { Panel } from './figure.js';
import { type ColourName, colour } from './palette.js';

/** The chart ends where this share of the updates has come; the rest is one last bar. */
const SHOWN = 0.995;

/** Bars at most: staler updates share the last one. */
const MOST_BARS = 60;

/** Updates by their staleness: `counts[s]` of `updates` had staleness s. */
export interface Histogram {
  name: string;
  colour: ColourName;
  counts: number[];
  updates: number;
}

/** A chart of the shares of updates by their staleness. */
export function stalenessPanel(title: string, histograms: Histogram[]): Panel {
  const last = Math.min(MOST_BARS - 1, Math.max(1, ...histograms.map((histogram) => quantile(histogram, SHOWN) + 1)));
  const beyond = histograms.some(({ counts }) => counts.length > last + 1);
  const names = Array.from({ length: last + 1 }, (_, s) => (s === last && beyond ? `≥ ${s}` : String(s)));
  const series = histograms.map((histogram) => ({
    type: 'bar' as const,
    name: histogram.name,
    color: colour(histogram.colour),
    barGap: '0%',
    barCategoryGap: '15%',
    data: sharesOf(histogram, last),
  }));
  return {
    title,
    height: 280,
    option: {
      ...base(),
      grid: MARGINS,
      xAxis: xAxis('staleness, in updates', { type: 'category', data: names }),
      yAxis: yAxis('share of updates, in %', { type: 'value', min: 0 }),
      series,
    },
  };
}

/** Percentages by staleness; those of `last` and more together. */
function sharesOf({ counts, updates }: Histogram, last: number): number[] {
  return Array.from({ length: last + 1 }, (_, value) => {
    const count = value < last ? (counts[value] ?? 0) : counts.slice(last).reduce((a, b) => a + b, 0);
    return Number(((100 * count) / updates).toPrecision(3));
  });
}

/** The staleness that a share of the updates does not exceed. */
export function quantile({ counts, updates }: Pick<Histogram, 'counts' | 'updates'>, share: number): number {
  let seen = 0;
  return counts.findIndex((count) => {
    seen += count;
    return seen >= share * updates;
  });
}
