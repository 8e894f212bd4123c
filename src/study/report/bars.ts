import { type Bar, barPanel } from '../page/bar-panel.js';
import type { Figure } from '../page/figure.js';
import { grouped, short } from '../page/numbers.js';
import { mean, type Series, type StudyResults } from '../results.js';
import { lossName } from './curves.js';

/** Updates that each training made. */
export function updatesFigure(results: StudyResults): Figure {
  const updatesOf = (series: Series, batchSize: number) =>
    mean(results.recordsOf(series, batchSize).map((r) => r.updates));
  const { batchSizes, epochs } = results.plan;
  return {
    title: 'Updates made',
    caption:
      `How often the weights were changed in ${epochs} epochs over the same rows. Look at sync: the batch size alone sets its updates, ` +
      'the number of workers does not. per-shard and hogwild make one update for each shard, so as many times more as there are ' +
      'workers. For local an update is one averaging of its replicas.',
    panels: batchSizes.map((batchSize) =>
      barPanel(
        `batch size ${batchSize}`,
        'updates of the weights',
        results.series.map((series) => bar(series, updatesOf(series, batchSize))),
      ),
    ),
    table: {
      header: ['training', ...batchSizes.map((size) => `updates at batch size ${size}`)],
      rows: results.series.map((series) => [
        series.name,
        ...batchSizes.map((size) => grouped(updatesOf(series, size))),
      ]),
    },
  };
}

const TARGETS = [
  { measure: 'rows', title: 'Rows to the target loss', axis: 'rows trained on', kinds: ['threads', 'simulated'] },
  { measure: 'seconds', title: 'Time to the target loss', axis: 'seconds of training', kinds: ['threads'] },
] as const;

/** Rows and seconds until a loss was first reached. */
export function targetFigures(results: StudyResults): Figure[] {
  return TARGETS.map((target) => targetFigure(results, target)).filter(({ table }) => table.rows.length > 0);
}

function targetFigure(results: StudyResults, { measure, title, axis, kinds }: (typeof TARGETS)[number]): Figure {
  const series = results.series.filter(({ crew }) => kinds.some((kind) => kind === crew.kind));
  const { batchSizes } = results.plan;
  const arrivalOf = (entry: Series, batchSize: number) => {
    const best = results.best(entry, batchSize);
    return best && { learningRate: best.learningRate, ...results.arrival(best.records) };
  };
  const bars = (size: number) => series.map((entry) => bar(entry, arrivalOf(entry, size)?.[measure] ?? Number.NaN));
  return {
    title,
    caption:
      `How much it took until the ${lossName(results)} was ${short(results.target)} or lower after an epoch; shorter is better. Means over the seeds ` +
      'that came so far, by the learning rate with the lowest final loss. Look for bars that are missing: there no seed came so far.',
    panels: batchSizes.map((size) => barPanel(`batch size ${size}`, axis, bars(size), 'not reached')),
    table: {
      header: ['training', 'batch size', 'learning rate', axis, 'seeds that reached it'],
      rows: batchSizes.flatMap((size) =>
        series.flatMap((entry) => {
          const arrival = arrivalOf(entry, size);
          if (!arrival) return [];
          const { learningRate, reached, of } = arrival;
          return [[entry.name, String(size), String(learningRate), short(arrival[measure]), `${reached} of ${of}`]];
        }),
      ),
    },
  };
}

function bar({ name, rule }: Series, value: number): Bar {
  return { name, colour: rule, value };
}
