import type { EChartsOption } from 'echarts';
import { base, xAxis, yAxis } from '../page/axes.js';
import type { Figure, Panel } from '../page/figure.js';
import { short } from '../page/numbers.js';
import { colour, HEAT, inkOnHeat } from '../page/palette.js';
import type { Series, StudyResults } from '../results.js';
import { lossName } from './curves.js';

/** One batch size by one learning rate. */
interface Cell {
  batchSize: number;
  learningRate: number;
  /** Mean seconds to the target; NaN if no seed reached it. */
  seconds: number;
  reached: string;
}

/** Batch size against learning rate against time to the target, for threads; undefined if the study has none. */
export function heatFigure(results: StudyResults): Figure | undefined {
  const maps = results.series
    .filter(({ crew }) => crew.kind === 'threads')
    .map((series) => ({ series, cells: cellsOf(results, series) }));
  if (maps.length === 0) return undefined;
  const all = maps.flatMap(({ cells }) => cells.map(({ seconds }) => seconds)).filter(Number.isFinite);
  const range = { min: Math.min(...all), max: Math.max(...all) };
  return {
    title: 'Batch size, learning rate and time',
    caption:
      `Seconds of training until the ${lossName(results)} was ${short(results.target)} or lower; darker is sooner, a dash means that no seed came so far. ` +
      'Look along the diagonal: larger batches want larger learning rates. The same shades in all charts.',
    panels: maps.map(({ series, cells }) => panel(results, series, cells, range)),
    table: {
      header: ['training', 'batch size', 'learning rate', 'seconds to the target', 'seeds that reached it'],
      rows: maps.flatMap(({ series, cells }) =>
        cells.map(({ batchSize, learningRate, seconds, reached }) => [
          series.name,
          String(batchSize),
          String(learningRate),
          short(seconds),
          reached,
        ]),
      ),
    },
  };
}

function cellsOf(results: StudyResults, series: Series): Cell[] {
  const { batchSizes, learningRates } = results.plan;
  return batchSizes.flatMap((batchSize) =>
    learningRates.map((learningRate) => {
      const { seconds, reached, of } = results.arrival(results.recordsOf(series, batchSize, learningRate));
      return { batchSize, learningRate, seconds, reached: `${reached} of ${of}` };
    }),
  );
}

function panel(
  { plan }: StudyResults,
  { name }: Series,
  cells: Cell[],
  { min, max }: { min: number; max: number },
): Panel {
  // By the logarithm: times of different batch sizes are several times each other.
  const shareOf = (seconds: number) => (max > min ? Math.log(seconds / min) / Math.log(max / min) : 0);
  const data = cells.map(({ batchSize, learningRate, seconds }) => {
    const place = [plan.learningRates.indexOf(learningRate), plan.batchSizes.indexOf(batchSize)];
    const known = Number.isFinite(seconds);
    const share = known ? shareOf(seconds) : 0;
    return {
      value: [...place, Number(share.toPrecision(4))],
      visualMap: known,
      itemStyle: { borderColor: colour('grid'), borderWidth: 1, ...(!known && { color: colour('panel') }) },
      label: { formatter: known ? short(seconds) : '–', color: known ? inkOnHeat(share) : colour('muted') },
    };
  });
  const option: EChartsOption = {
    ...base(),
    tooltip: { show: false },
    grid: { left: 58, right: 12, top: 8, bottom: 48 },
    xAxis: xAxis('learning rate', {
      type: 'category',
      data: plan.learningRates.map(String),
      splitLine: { show: false },
    }),
    yAxis: yAxis('batch size, in rows', {
      type: 'category',
      data: plan.batchSizes.map(String),
      splitLine: { show: false },
    }),
    visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: HEAT } },
    series: [{ type: 'heatmap', data, label: { show: true, fontSize: 12 } }],
  } as EChartsOption;
  return { title: name, option, height: plan.batchSizes.length * 44 + 64 };
}
