import type { EChartsOption } from 'echarts';
import { base, logarithmicEnds, MARGINS, xAxis, yAxis } from '../page/axes.js';
import type { Figure, Panel } from '../page/figure.js';
import { rounded, short } from '../page/numbers.js';
import { meanCurve, type Series, type StudyResults } from '../results.js';
import { Look } from './look.js';

type Measure = 'updates' | 'rows' | 'seconds' | 'simulatedTime';

/** What a curve is drawn against. */
interface Against {
  measure: Measure;
  title: string;
  axis: string;
  logarithmic: boolean;
  caption: string;
}

const AGAINST: Against[] = [
  {
    measure: 'updates',
    title: 'Loss against updates',
    axis: 'updates of the weights',
    logarithmic: true,
    caption:
      'Look at where the lines end on the right: all have seen the same rows as often. sync and local stop early, having made ' +
      'few updates; rules in which every shard updates on its own have made many more to come as far.',
  },
  {
    measure: 'rows',
    title: 'Loss against rows',
    axis: 'rows trained on',
    logarithmic: false,
    caption:
      'Look at the height of the lines at one place: that is what a rule makes of the same rows. Lines of sync with different ' +
      'numbers of threads lie on each other, since threads do not change its result.',
  },
  {
    measure: 'seconds',
    title: 'Loss against seconds',
    axis: 'seconds of training',
    logarithmic: false,
    caption:
      'Look at how far left a line gets down. This is where threads may pay off, and where they do not: on small batches they ' +
      'wait for each other more than they compute. Times of threads only: simulated workers have no time of their own.',
  },
  {
    measure: 'simulatedTime',
    title: 'Loss against the time of simulated workers',
    axis: "time, in one row's mean time",
    logarithmic: false,
    caption:
      'Look at how far left a line gets down: the time that the simulated workers would have taken, were each a machine of its ' +
      'own. sync and local wait for the slowest worker when they meet; the others do not wait.',
  },
];

/** Loss against updates, rows, seconds, and the time of simulated workers where there are any. */
export function curveFigures(results: StudyResults): Figure[] {
  return AGAINST.map((against) => curveFigure(results, against)).filter(({ panels }) => panels.length > 0);
}

function curveFigure(results: StudyResults, against: Against): Figure {
  const look = new Look(results);
  const series = results.series.filter(({ crew }) => has(against.measure, crew.kind));
  const { title, caption } = against;
  return {
    title,
    caption: `${caption} Each line is the mean over seeds, by the learning rate with the lowest final loss; a point for each epoch.`,
    legend: look.legend(series),
    panels: series.length === 0 ? [] : panelsOf(results, series, against, look),
    table: {
      header: ['training', 'batch size', 'learning rate', 'epoch', against.axis, lossName(results)],
      rows: results.plan.batchSizes.flatMap((batchSize) =>
        series.flatMap((entry) => tableRows(results, entry, batchSize, against)),
      ),
    },
  };
}

function has(measure: Measure, kind: Series['crew']['kind']): boolean {
  if (measure === 'seconds') return kind === 'threads';
  return measure !== 'simulatedTime' || kind === 'simulated';
}

/** The mean curves of one batch size, as lines of a chart. */
function linesOf(results: StudyResults, series: Series[], batchSize: number, { measure }: Against, look: Look) {
  return series.map((entry) => {
    const curve = meanCurve(results.best(entry, batchSize)?.records ?? []);
    return {
      type: 'line' as const,
      name: entry.name,
      data: curve.map((point) => [rounded(point[measure]), rounded(point.loss)]),
      color: look.colour(entry),
      symbol: look.symbol(entry),
      symbolSize: 6,
      lineStyle: { width: 2, type: look.dashes(entry).length === 0 ? ('solid' as const) : look.dashes(entry) },
    };
  });
}

/** A chart for each batch size, with the same axis of losses. */
function panelsOf(results: StudyResults, series: Series[], against: Against, look: Look): Panel[] {
  const { batchSizes } = results.plan;
  const lines = batchSizes.map((batchSize) => linesOf(results, series, batchSize, against, look));
  const ends = logarithmicEnds(lines.flat().flatMap(({ data }) => data.map(([, loss]) => loss ?? Number.NaN)));
  return batchSizes.map((batchSize, index) => {
    const option: EChartsOption = {
      ...base(),
      grid: MARGINS,
      xAxis: xAxis(against.axis, against.logarithmic ? { type: 'log' } : { type: 'value', min: 0, splitNumber: 4 }),
      yAxis: yAxis(lossName(results), { type: 'log', logBase: 2, ...ends }),
      series: lines[index] as ReturnType<typeof linesOf>,
    };
    return { title: `batch size ${batchSize}`, option, height: 300 };
  });
}

function tableRows(results: StudyResults, series: Series, batchSize: number, { measure }: Against): string[][] {
  const best = results.best(series, batchSize);
  if (!best) return [];
  return meanCurve(best.records).map((point, epoch) => [
    series.name,
    String(batchSize),
    String(best.learningRate),
    String(epoch + 1),
    short(point[measure]),
    short(point.loss),
  ]);
}

/** What the compared loss is called. */
export function lossName({ validated }: StudyResults): string {
  return validated ? 'validation loss' : 'training loss';
}
