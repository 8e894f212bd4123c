import { base, logarithmicEnds, xAxis } from '../page/axes.js';
import { ROW_MARGINS, rowNames, rowsHeight } from '../page/bar-panel.js';
import type { Figure, Panel } from '../page/figure.js';
import { rounded, short } from '../page/numbers.js';
import { colour } from '../page/palette.js';
import { finalLoss } from '../record.js';
import { mean, type Series, type StudyResults } from '../results.js';
import { lossName } from './curves.js';
import { Look } from './look.js';

/** Final losses of every seed. */
export function spreadFigure(results: StudyResults): Figure {
  const look = new Look(results);
  const { batchSizes } = results.plan;
  const all = batchSizes.flatMap((size) => results.series.flatMap((series) => lossesOf(results, series, size)));
  return {
    title: 'Final loss and its spread',
    caption:
      'One mark for each seed, a line at their mean, by the learning rate with the lowest mean. Look at how far the marks of a row ' +
      'lie apart before believing that one row is better than another: seeds change initial weights and the order of rows, nothing else.',
    panels: batchSizes.map((batchSize) => panel(results, batchSize, look, logarithmicEnds(all))),
    table: {
      header: [
        'training',
        'batch size',
        'learning rate',
        `mean final ${lossName(results)}`,
        'lowest',
        'highest',
        'seeds',
      ],
      rows: batchSizes.flatMap((size) => results.series.flatMap((series) => tableRow(results, series, size))),
    },
  };
}

function lossesOf(results: StudyResults, series: Series, batchSize: number): number[] {
  return (results.best(series, batchSize)?.records ?? []).map(finalLoss);
}

function panel(results: StudyResults, batchSize: number, look: Look, ends: { min: number; max: number }): Panel {
  const rows = results.series.map((series) => ({ series, losses: lossesOf(results, series, batchSize) }));
  const marks = rows.map(({ series, losses }, row) => ({
    type: 'scatter' as const,
    name: series.name,
    color: look.colour(series),
    symbol: look.symbol(series),
    symbolSize: 9,
    itemStyle: { opacity: 0.8 },
    data: losses.map((loss) => [rounded(loss), row]),
  }));
  const means = {
    type: 'scatter' as const,
    name: 'mean',
    color: colour('ink'),
    symbol: 'rect',
    symbolSize: [2, 18],
    data: rows.map(({ losses }, row) => [rounded(mean(losses)), row]),
  };
  return {
    title: `batch size ${batchSize}`,
    height: rowsHeight(rows.length),
    option: {
      ...base(),
      grid: { ...ROW_MARGINS, right: 20 },
      xAxis: xAxis(`final ${lossName(results)}`, { type: 'log', logBase: 2, ...ends }),
      yAxis: rowNames(rows.map(({ series }) => series.name)),
      series: [...marks, means],
    },
  };
}

function tableRow(results: StudyResults, series: Series, batchSize: number): string[][] {
  const best = results.best(series, batchSize);
  if (!best) return [];
  const losses = best.records.map(finalLoss);
  const numbers = [mean(losses), Math.min(...losses), Math.max(...losses)].map((value) => short(value));
  return [[series.name, String(batchSize), String(best.learningRate), ...numbers, String(losses.length)]];
}
