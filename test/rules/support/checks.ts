/**
 * Checks of what every update rule promises: exact counts, no lost update, every row once per epoch. Each returns what is
 * wrong, so that the same check can be shown to catch a rule that is broken.
 */
import * as tf from '@tensorflow/tfjs';
import type { FitOptions, fit, RunSummary } from 'shardfit';
import { repeated, targetsAsGradient, vector } from '../../fit/support/linear.js';
import { weightsOf } from '../../fit/support/models.js';

export type Fit = typeof fit;

/** A power of 2: multiples of it are exact in float32, so that a sum of steps counts them. */
const RATE = 2 ** -8;

/** Updates of an epoch that a rule must make by definition. */
export function expectedUpdates(
  { update = 'sync', syncEvery = 1, batchSize = 32, shards = 1 }: FitOptions,
  rows: number,
): number {
  const batches = Math.ceil(rows / batchSize);
  if (update === 'sync') return batches;
  if (update === 'local') return Math.ceil(batches / syncEvery);
  const sizes = Array.from({ length: batches }, (_, step) => Math.min(batchSize, rows - step * batchSize));
  return sizes.reduce((sum, size) => sum + Math.min(size, shards), 0);
}

/** What does not agree in the counts of a run of `epochs` epochs. */
export function countProblems(run: RunSummary, options: FitOptions, rows: number): string[] {
  const { epochs = 1 } = options;
  const expected = epochs * expectedUpdates(options, rows);
  const problems: string[] = [];
  const compare = (what: string, counted: number | undefined, wanted: number) => {
    if (counted !== wanted) problems.push(`${what}: ${counted} instead of ${wanted}`);
  };
  compare('updates', run.updates, expected);
  compare('rows', run.rows, rows);
  compare('rows trained on', run.milestones.at(-1)?.rows, epochs * rows);
  compare('updates at the last epoch', run.milestones.at(-1)?.updates, expected);
  if (run.staleness) {
    const recorded = run.staleness.counts.reduce((a, b) => a + b, 0);
    compare('updates with a staleness', recorded, expected);
  }
  return problems;
}

/**
 * Trains weights whose gradient is always 1, so that they count the updates that stand in them.
 *
 * @returns what does not agree with the updates that the run counted.
 */
export async function lostUpdateProblems(train: Fit, options: FitOptions, rows: number): Promise<string[]> {
  const values = 40;
  const model = vector(new Array(values).fill(0), targetsAsGradient, tf.train.sgd(RATE));
  const { x, y } = repeated(new Array(values).fill(1), rows);
  const { run } = await train(model, x, y, options);
  const applied = (weightsOf(model)[0] as Float32Array).map((weight) => -weight / RATE);
  // One step of a local replica is not an update of the weights: every replica makes one for each mini-batch.
  const wanted = run.update === 'local' ? run.miniBatches * run.epochs : run.updates;
  return applied.every((count) => count === wanted)
    ? []
    : [`weights hold ${[...new Set(applied)]} updates instead of ${wanted}`];
}

/**
 * Trains one weight for each row, which only that row changes, by the same step every time it is seen. Exact where all
 * shards have equally many rows, a power of 2 of them.
 *
 * @returns rows that were not seen exactly once in every epoch.
 */
export async function rowProblems(train: Fit, options: FitOptions, rows: number): Promise<string[]> {
  const { batchSize = 32, shards = 1, epochs = 1, update = 'sync' } = options;
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [rows], units: 1, useBias: false })] });
  model.setWeights([tf.zeros([rows, 1])]);
  model.compile({ optimizer: tf.train.sgd(RATE), loss: targetsAsGradient as never });
  const identity = Array.from({ length: rows }, (_, row) => Array.from({ length: rows }, (_, i) => Number(i === row)));
  await train(model, identity, new Array(rows).fill([1]), options);
  const together = update === 'sync' || update === 'local' ? batchSize : batchSize / shards;
  const seen = (weightsOf(model)[0] as Float32Array).map((weight) => (-weight / RATE) * together);
  return timesProblems(seen, epochs);
}

/**
 * Trains nothing, with a loss that is another power of 4 for each row: the digits of its sum are how often each was seen.
 * For rules under which writes may be lost by design, so that weights cannot tell.
 *
 * @returns rows that were not seen exactly once. At most 11 rows, in shards of a power of 2.
 */
export async function lossProblems(train: Fit, options: FitOptions, rows: number): Promise<string[]> {
  const powers = Array.from({ length: rows }, (_, row) => [4 ** row]);
  const rowLoss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.add(tf.sum(yTrue, -1), tf.mul(tf.sum(yPred, -1), 0));
  const model = vector([0], rowLoss, tf.train.sgd(RATE));
  const { history } = await train(model, new Array(rows).fill([1]), powers, options);
  const sums = (history.loss as number[]).map((loss) => loss * rows);
  return sums.flatMap((sum) =>
    timesProblems(
      powers.map(([power = 1]) => Math.floor(sum / power) % 4),
      1,
    ),
  );
}

function timesProblems(seen: ArrayLike<number>, wanted: number): string[] {
  return Array.from(seen).flatMap((times, row) =>
    times === wanted ? [] : [`row ${row} was seen ${times} times instead of ${wanted}`],
  );
}
