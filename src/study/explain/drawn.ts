import { base, logarithmicEnds, MARGINS, xAxis, yAxis } from '../page/axes.js';
import type { Bar } from '../page/bar-panel.js';
import type { LegendEntry, Mark, Panel } from '../page/figure.js';
import { rounded } from '../page/numbers.js';
import { type ColourName, colour } from '../page/palette.js';
import type { ExplainedRun } from './explanation.js';

/** One training with its name and its look. */
export interface Drawn<Run extends ExplainedRun> {
  name: string;
  colour: ColourName;
  mark: Mark;
  dashes: number[];
  run: Run;
}

/** The lines of trainings, as a legend names them. */
export function legendOf(drawn: Drawn<ExplainedRun>[]): LegendEntry[] {
  return drawn.map(({ name, colour: hue, mark, dashes }) => ({ name, colour: hue, symbol: mark, dashes }));
}

/** A bar for each training. */
export function bars<Run extends ExplainedRun>(drawn: Drawn<Run>[], value: (run: Run) => number): Bar[] {
  return drawn.map(({ name, colour: hue, run }) => ({ name, colour: hue, value: value(run) }));
}

/** The validation loss of trainings, epoch by epoch. */
export function lossPanel(drawn: Drawn<ExplainedRun>[]): Panel {
  const series = drawn.map(({ name, colour: hue, mark, dashes, run }) => ({
    type: 'line' as const,
    name,
    color: colour(hue),
    symbol: mark,
    symbolSize: 6,
    lineStyle: { width: 2, type: dashes.length === 0 ? ('solid' as const) : dashes },
    data: run.validationLosses.map((loss, epoch) => [epoch + 1, rounded(loss)]),
  }));
  const ends = logarithmicEnds(drawn.flatMap(({ run }) => run.validationLosses));
  return {
    title: 'Loss',
    height: 280,
    option: {
      ...base(),
      grid: MARGINS,
      xAxis: xAxis('epochs', { type: 'value', min: 0 }),
      yAxis: yAxis('validation loss', { type: 'log', logBase: 2, ...ends }),
      series,
    },
  };
}
