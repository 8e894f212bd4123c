import { base, xAxis, yAxis } from './axes.js';
import type { Panel } from './figure.js';
import { rounded, short } from './numbers.js';
import { type ColourName, colour } from './palette.js';

export interface Bar {
  name: string;
  colour: ColourName;
  /** A value that is not a number has no bar. */
  value: number;
}

/** Height of one row of a chart with named rows. */
const ROW = 26;
/** What is above and below the rows. */
const AROUND = 60;
/** Width of the names of the rows, and margins, in pixels. */
export const ROW_MARGINS = { left: 158, right: 64, top: 4, bottom: 48 };

/** Height of a chart with so many named rows. */
export function rowsHeight(rows: number): number {
  return rows * ROW + AROUND;
}

/** An axis with a name for each row, the first on top. */
export function rowNames(names: string[]) {
  const axisLabel = { color: colour('ink'), fontSize: 12, interval: 0 };
  return yAxis('', { type: 'category', data: names, inverse: true, axisTick: { show: false }, axisLabel });
}

/**
 * A chart with one horizontal bar for each row, its value behind it.
 *
 * @param missing label where there is no value.
 */
export function barPanel(title: string, axis: string, bars: Bar[], missing = '–'): Panel {
  const data = bars.map((bar) => ({
    value: rounded(bar.value) ?? 0,
    itemStyle: { color: colour(bar.colour) },
    label: { formatter: Number.isFinite(bar.value) ? short(bar.value) : missing },
  }));
  const label = { show: true, position: 'right' as const, color: colour('ink'), fontSize: 12 };
  return {
    title,
    height: rowsHeight(bars.length),
    option: {
      ...base(),
      grid: ROW_MARGINS,
      xAxis: xAxis(axis, { type: 'value', min: 0, splitNumber: 2 }),
      yAxis: rowNames(bars.map(({ name }) => name)),
      series: [{ type: 'bar', data, label, barWidth: '62%' }],
    },
  };
}
