/** The checks of the rules catch rules that are broken: the same functions, on copies of the package with a fault put in. */
import * as tf from '@tensorflow/tfjs';
import type { FitOptions } from 'shardfit';
import { beforeAll, expect, test } from 'vitest';
import { classes, mlp } from '../fit/support/models.js';
import { countProblems, lossProblems, lostUpdateProblems, rowProblems } from './support/checks.js';
import { type Change, doctoredFit } from './support/doctored.js';

beforeAll(() => tf.setBackend('cpu'));

const OPTIONS = { batchSize: 16, workers: 2, shards: 4, epochs: 1 } as const;
const SMALL = { batchSize: 4, workers: 2, shards: 2, epochs: 1 } as const;

async function problemsOf(update: FitOptions['update'], ...changes: Change[]) {
  const fit = await doctoredFit(...changes);
  const { x, y } = classes(64);
  const options = { ...OPTIONS, update };
  const { run } = await fit(mlp(), x, y, options);
  return {
    counts: countProblems(run, options, 64),
    updates: await lostUpdateProblems(fit, options, 64),
    rows: await rowProblems(fit, options, 64),
    losses: await lossProblems(fit, { ...SMALL, update }, 8),
  };
}

test('without a fault there is nothing to catch', async () => {
  const nothing = { counts: [], updates: [], rows: [], losses: [] };
  expect(await problemsOf('per-shard')).toEqual(nothing);
  expect(await problemsOf('sync')).toEqual(nothing);
});

test('an update that is counted and not applied is missed in the weights', async () => {
  const { counts, updates, rows } = await problemsOf('per-shard', {
    file: 'worker/rules/per-shard.js',
    find: 'replica.applyShard(shard, version, plan.optimizer)',
    replace:
      '(shard.step === 1 ? replica.countUpdate(shard, version) : replica.applyShard(shard, version, plan.optimizer))',
  });
  expect(counts).toEqual([]);
  expect(updates).toEqual(['weights hold 12 updates instead of 16']);
  expect(rows).toHaveLength(16);
});

test('an update that is applied and not counted is missed in the counts', async () => {
  const uncounted = { file: 'worker/rules/per-shard.js', find: /updates\+\+;/, replace: '' };
  const { counts, updates } = await problemsOf('per-shard', uncounted);
  expect(counts).toEqual(['updates: 0 instead of 16', 'updates at the last epoch: 0 instead of 16']);
  expect(updates).toHaveLength(1);
});

test('a batch that is left out is missed in counts, rows and losses', async () => {
  const { counts, rows, losses } = await problemsOf('hogwild', {
    file: 'worker/rules/hogwild.js',
    find: 'const shard of replica.shardsOf(batch)',
    replace: 'const shard of batch.step === 1 ? [] : replica.shardsOf(batch)',
  });
  expect(counts).toContain('updates: 12 instead of 16');
  expect(rows.length).toBeGreaterThanOrEqual(16);
  expect(losses).toHaveLength(4);
});

test('rows that are seen twice are caught, though every count is right', async () => {
  const shifted: Change = {
    file: 'worker/own-shards.js',
    find: 'rows.start + shard.firstRow',
    replace: 'Math.max(0, rows.start + shard.firstRow - 1)',
  };
  for (const update of ['sync', 'per-shard', 'local'] as const) {
    const { counts, rows, losses } = await problemsOf(update, shifted);
    expect(counts).toEqual([]);
    expect(rows.map((row) => row.match(/seen \d times/)?.[0]).sort()).toEqual(['seen 0 times', 'seen 2 times']);
    expect(losses).toHaveLength(2);
  }
});

test('a shard that is trained twice is caught in counts and rows', async () => {
  const { counts, rows } = await problemsOf('per-shard', {
    file: 'worker/rules/per-shard.js',
    find: 'const shard of replica.shardsOf(batch)',
    replace: 'const shard of [...replica.shardsOf(batch), ...replica.shardsOf(batch)]',
  });
  expect(counts).toContain('updates: 32 instead of 16');
  expect(rows).toHaveLength(64);
});

test('means that are averaged by shards, not by rows, are caught', async () => {
  const fit = await doctoredFit({
    file: 'worker/onnx-engine.js',
    find: /const scale = [^;]+;/,
    replace: 'const scale = shard.batchRows / (this.#setup.shards * shard.rows);',
  });
  // 17 rows in two shards of 9 and 8.
  const { history } = await fit(...sumOfRows(17), { batchSize: 17, workers: 2 });
  const right = await doctoredFit();
  expect(history.loss?.[0]).not.toBeCloseTo(8, 3);
  expect((await right(...sumOfRows(17), { batchSize: 17, workers: 2 })).history.loss?.[0]).toBeCloseTo(8, 3);
});

/** A model whose loss is the mean of its targets: 0, 1, 2, ... */
function sumOfRows(rows: number) {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1], units: 1, useBias: false })] });
  const loss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.add(tf.sum(yTrue, -1), tf.mul(tf.sum(yPred, -1), 0));
  model.compile({ optimizer: 'sgd', loss: loss as never });
  return [model, new Array(rows).fill([1]), Array.from({ length: rows }, (_, row) => [row])] as const;
}
