import { grouped, short } from '../page/numbers.js';
import { finalLoss } from '../record.js';
import { type Comparison, mean, type StudyResults } from '../results.js';
import { lossName } from './curves.js';

/** What the figures come to, in sentences whose numbers are those of the study. */
export function findingsOf(results: StudyResults): string[] {
  return [
    ...updateCounts(results),
    ...sameResult(results),
    ...lowest(results),
    ...soonest(results),
    ...stalest(results),
  ];
}

/** Updates of `sync` beside those of the rule that made most, at the smallest batch size. */
function updateCounts(results: StudyResults): string[] {
  const batchSize = Math.min(...results.plan.batchSizes);
  const updates = results.series.map((series) => ({
    series,
    updates: mean(results.recordsOf(series, batchSize).map((record) => record.updates)),
  }));
  const sync = updates.filter(({ series }) => series.rule === 'sync');
  const most = updates.filter(({ updates: n }) => Number.isFinite(n)).sort((a, b) => b.updates - a.updates)[0];
  if (sync.length === 0 || !most) return [];
  const counts = [...new Set(sync.map(({ updates: n }) => grouped(n)))].join(' or ');
  const crews = sync.map(({ series }) => series.name.replace('sync, ', '')).join(', ');
  const text = `With mini-batches of ${batchSize}, sync made ${counts} updates, with ${crews}.`;
  const more = `${most.series.name} made ${grouped(most.updates)} over the same rows.`;
  return [most.series.rule === 'sync' ? text : `${text} ${more}`];
}

/** How far sync with different numbers of workers lies apart. */
function sameResult(results: StudyResults): string[] {
  const sync = results.series.filter(({ rule }) => rule === 'sync');
  if (sync.length < 2) return [];
  const { batchSizes, learningRates, seeds } = results.plan;
  let largest = 0;
  for (const batchSize of batchSizes)
    for (const rate of learningRates)
      for (const seed of seeds) {
        const losses = sync
          .flatMap((series) => results.recordsOf(series, batchSize, rate).filter(({ point }) => point.seed === seed))
          .map(finalLoss)
          .filter(Number.isFinite);
        if (losses.length > 1)
          largest = Math.max(largest, (Math.max(...losses) - Math.min(...losses)) / Math.min(...losses));
      }
  return [
    `Trained by sync with the same batch size, learning rate and seed, different numbers of workers ended at losses that differ by ${short(100 * largest, 2)} % at most: ` +
      'threads change who computes, not what.',
  ];
}

function lowest(results: StudyResults): string[] {
  const all = results
    .comparisons()
    .filter(({ loss }) => Number.isFinite(loss))
    .sort((a, b) => a.loss - b.loss);
  const [first] = all;
  if (!first) return ['No training ended with a finite loss: try smaller learning rates.'];
  return [`The lowest mean final ${lossName(results)}, ${short(first.loss)}, was that of ${describe(first)}.`];
}

function soonest(results: StudyResults): string[] {
  const first = results
    .comparisons()
    .filter(({ series }) => series.crew.kind === 'threads')
    .filter(({ arrival }) => arrival.reached === arrival.of)
    .sort((a, b) => a.arrival.seconds - b.arrival.seconds)[0];
  if (!first) return [];
  return [
    `A ${lossName(results)} of ${short(results.target)} was reached soonest by ${describe(first)}: after ${short(first.arrival.seconds)} s and ${grouped(first.arrival.rows)} rows.`,
  ];
}

function describe({ series, batchSize, learningRate }: Comparison): string {
  return `${series.name}, batch size ${batchSize}, learning rate ${learningRate}`;
}

function stalest(results: StudyResults): string[] {
  const means = results.series.map((series) => ({
    series,
    staleness: mean(
      results.plan.batchSizes.flatMap((size) =>
        results.recordsOf(series, size).flatMap(({ staleness }) => (staleness ? [staleness.mean] : [])),
      ),
    ),
  }));
  const stale = means.filter(({ staleness }) => staleness > 0).sort((a, b) => b.staleness - a.staleness)[0];
  if (!stale) return [];
  return [
    `Where shards update on their own, gradients are applied to weights that have changed meanwhile: by ${short(stale.staleness)} updates on average with ${stale.series.name}.`,
  ];
}
