/** Rows that depend on each other, as in batch norm: the statistics are those of the mini-batch, whoever computes its shards. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  centredError,
  contrast,
  denseAround,
  dividedByMaximum,
  precision,
  residualCnn,
  softmaxOverRows,
  summedError,
  unchanged,
} from './support/coupled.js';
import { expectSameHistory, expectSameWeights, sha256 } from './support/matchers.js';
import { classes } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

// 45 rows, 36 of them to train on: batches of 16, 16 and 4 rows; shards of 6+5+5, and of 2+1+1 or 1+1+1+1 rows.
const ROWS = 45;
const ARGS = { batchSize: 16, epochs: 2, validationSplit: 0.2, shuffle: false };

const MODELS: [string, () => tf.LayersModel, number[]][] = [
  ['a residual CNN with batch norm', residualCnn, [8, 8, 2]],
  ['a loss that centres the outputs', () => denseAround(unchanged, centredError), [6]],
  ['a layer that divides by the maximum', () => denseAround(dividedByMaximum), [6]],
  ['a softmax over the rows', () => denseAround(softmaxOverRows), [6]],
  ['a loss that is a sum over the rows', () => denseAround(unchanged, summedError), [6]],
  ['a metric that is a ratio of sums', () => denseAround(unchanged, 'meanSquaredError', [precision]), [6]],
];

describe.each(MODELS)('%s', (_, build, shape) => {
  let data: ReturnType<typeof classes>;
  let reference: { model: tf.LayersModel; history: tf.History };

  beforeAll(async () => {
    data = classes(ROWS, shape);
    const model = build();
    reference = { model, history: await model.fit(data.x, data.y, ARGS) };
  });

  it.each([1, 2, 3, 4])('has the weights and the History of tfjs with %i workers', async (workers) => {
    const model = build();
    const history = await fit(model, data.x, data.y, { ...ARGS, workers });
    expect(history.run).toMatchObject({ shards: workers, warnings: [] });
    expectSameWeights(model, reference.model);
    expectSameHistory(history, reference.history);
  });

  it('has the same bits with 1, 2, 3 and 6 workers for 6 shards, more of them than rows in the last batch', async () => {
    const bits = new Set<string>();
    for (const workers of [1, 2, 3, 6]) {
      const model = build();
      await fit(model, data.x, data.y, { ...ARGS, shuffle: true, seed: 1, shards: 6, workers });
      bits.add(sha256(model));
    }
    expect(bits.size).toBe(1);
  });
});

async function trained(build: () => tf.LayersModel, shape: number[], options: FitOptions) {
  const { x, y } = classes(ROWS, shape);
  const model = build();
  const history = await fit(model, x, y, { ...ARGS, validationSplit: 0, ...options });
  return { model, history };
}

describe('a validation in which workers meet', () => {
  const build = () => denseAround(unchanged, 'meanSquaredError', [precision]);

  it('is made also when training was told to stop at its last mini-batch', async () => {
    const { x, y } = classes(ROWS);
    const run = (train: (model: tf.LayersModel, args: FitOptions) => Promise<tf.History>) => {
      const model = build();
      const onBatchEnd = async (batch: number) => {
        if (batch === 2) model.stopTraining = true;
      };
      return train(model, { ...ARGS, callbacks: { onBatchEnd } });
    };
    const expected = await run((model, args) => model.fit(x, y, args as tf.ModelFitArgs));
    const actual = await run((model, args) => fit(model, x, y, { ...args, workers: 2 }));
    expectSameHistory(actual, expected);
  });

  it('ends in all workers at once when the signal says so', async () => {
    const { x, y } = classes(ROWS);
    const validationData = [x.tile([16_000, 1]), y.tile([16_000, 1])] as [tf.Tensor, tf.Tensor];
    const abort = new AbortController();
    const callbacks = { onBatchEnd: async () => void setTimeout(() => abort.abort(new Error('enough')), 100) };
    const started = performance.now();
    const training = fit(build(), x, y, {
      ...{ batchSize: 45, workers: 2, validationData, callbacks, signal: abort.signal },
    });
    await expect(training).rejects.toThrow('enough');
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe("batchStatistics 'shard'", () => {
  it('normalizes each shard by itself', async () => {
    const options = { workers: 2, batchStatistics: 'shard' } as const;
    const { model: ghost } = await trained(residualCnn, [8, 8, 2], options);
    const { model: exact } = await trained(residualCnn, [8, 8, 2], { workers: 2 });
    expect(() => expectSameWeights(ghost, exact)).toThrow(/weight/);
  });

  it('is the mean of the updates that each shard would make alone', async () => {
    // One batch of 20 rows and plain descent: the update is the mean of those of its halves.
    const build = () => residualCnn(tf.train.sgd(0.1));
    const { x, y } = classes(20, [8, 8, 2]);
    const halves: tf.Tensor[][] = [];
    for (const from of [0, 10]) {
      const model = build();
      const rows = (t: tf.Tensor) => t.slice([from], [10]);
      await model.fit(rows(x), rows(y), { batchSize: 10, epochs: 1 });
      halves.push(model.getWeights());
    }
    const expected = build();
    expected.setWeights((halves[0] ?? []).map((w, i) => tf.div(tf.add(w, halves[1]?.[i] as tf.Tensor), 2)));
    const model = build();
    await fit(model, x, y, { batchSize: 20, workers: 2, shuffle: false, batchStatistics: 'shard' });
    expectSameWeights(model, expected);
  });
});

describe('a loss of every row against every other', () => {
  const build = () => denseAround(unchanged, contrast);

  it('is computed by one worker at a time, with a warning', async () => {
    const { x, y } = classes(ROWS);
    const reference = build();
    await reference.fit(x, y, ARGS);
    const model = build();
    const heard: string[] = [];
    const { run } = await fit(model, x, y, { ...ARGS, workers: 3, onWarning: (message) => heard.push(message) });
    expectSameWeights(model, reference);
    expect(run.shards).toBe(1);
    expect(run.warnings).toEqual(heard);
    expect(heard).toEqual([expect.stringMatching(/every row to every other.*mini-batches are not cut/s)]);
  });

  it("is one of the rows of each shard with batchStatistics 'shard'", async () => {
    const { history } = await trained(build, [6], { workers: 3, batchStatistics: 'shard' });
    expect(history.run).toMatchObject({ shards: 3, warnings: [] });
  });
});
