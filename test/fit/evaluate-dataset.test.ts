/** `evaluateDataset` on several threads beside tfjs' `model.evaluateDataset` on one. */
import * as tf from '@tensorflow/tfjs';
import { type BatchDataset, evaluate, evaluateDataset, Trainer } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { denseAround, precision, residualCnn } from './support/coupled.js';
import { classes, cnn, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

/** Rows of `classes` in batches of so many rows each. */
function batches(shape: number[], sizes: number[]): { batch: (i: number) => { xs: tf.Tensor; ys: tf.Tensor } } {
  const rows = sizes.reduce((a, b) => a + b, 0);
  const { x, y } = classes(rows, shape);
  const cut = (all: tf.Tensor) => tf.split(all, sizes, 0);
  const [xs, ys] = [cut(x), cut(y)];
  return { batch: (i) => ({ xs: (xs[i] as tf.Tensor).clone(), ys: (ys[i] as tf.Tensor).clone() }) };
}

function dataset(shape: number[], sizes: number[]): tf.data.Dataset<tf.TensorContainer> {
  const { batch } = batches(shape, sizes);
  return tf.data.generator(function* () {
    for (let i = 0; i < sizes.length; i++) yield batch(i);
  } as never);
}

async function expected(model: tf.LayersModel, data: tf.data.Dataset<tf.TensorContainer>, args = {}) {
  const scalars = [await model.evaluateDataset(data as never, args as never)].flat();
  return scalars.map((scalar) => scalar.dataSync()[0] as number);
}

function expectClose(actual: Record<string, number>, reference: number[]): void {
  expect(Object.values(actual)).toEqual(reference.map((value) => expect.closeTo(value, 5)));
}

const MODELS: [string, () => tf.LayersModel, number[]][] = [
  ['an MLP', () => mlp(tf.train.sgd(0.1)), [6]],
  ['a CNN', () => cnn(tf.train.sgd(0.1)), [8, 8, 1]],
  ['a residual CNN with batch norm', () => residualCnn(), [8, 8, 2]],
  ['a metric that is no mean over rows', () => denseAround((x) => tf.relu(x), 'meanSquaredError', [precision]), [6]],
];

// Uneven batches: a mean that forgot their rows would be another.
const SIZES = [9, 9, 2, 5, 1];

describe.each(MODELS)('%s', (_, build, shape) => {
  it.each([1, 2, 3])(
    'has the loss and metrics of tfjs, each batch weighted by its rows, with %i workers',
    async (workers) => {
      const model = build();
      const actual = await evaluateDataset(model, dataset(shape, SIZES), { workers });
      expect(Object.keys(actual)).toEqual(model.metricsNames);
      expectClose(actual, await expected(model, dataset(shape, SIZES)));
    },
  );
});

it('measures the first batches only, and leaves the others unread', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const { batch } = batches([6], SIZES);
  let read = 0;
  const counting: BatchDataset = {
    iterator: async () => ({ next: async () => ({ value: batch(read++), done: false }) }),
  };
  const actual = await evaluateDataset(model, counting, { batches: 3, workers: 2 });
  expectClose(actual, await expected(model, dataset([6], SIZES), { batches: 3 }));
  expect(read).toBe(3);
});

it('says so when the data set ends before its batches are full', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const heard: string[] = [];
  const onWarning = (warning: string) => heard.push(warning);
  const actual = await evaluateDataset(model, dataset([6], SIZES), { batches: 8, workers: 2, onWarning });
  expectClose(actual, await expected(model, dataset([6], SIZES)));
  expect(heard).toEqual([expect.stringMatching(/^the data set ended after 5 of 8 batches: .*repeat\(\)/)]);
  await evaluateDataset(model, dataset([6], SIZES), { batches: 5, workers: 2, onWarning });
  expect(heard).toHaveLength(1);
});

it('agrees with evaluate on the same rows, past a window too, and leaves model and memory as they were', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const { x, y } = classes(700, [6]);
  const weights = model.getWeights().map((weight) => weight.dataSync());
  const data = dataset([6], new Array(140).fill(5));
  const before = tf.memory().numTensors;
  const actual = await evaluateDataset(model, data, { workers: 2 });
  expect(tf.memory().numTensors).toBe(before);
  expect(model.getWeights().map((weight) => weight.dataSync())).toEqual(weights);
  expect(actual).toEqual(await evaluate(model, x, y, { batchSize: 5, workers: 2 }));
});

it("is computed by tfjs where engine is 'tfjs'", async () => {
  const model = residualCnn();
  const actual = await evaluateDataset(model, dataset([8, 8, 2], SIZES), { workers: 2, engine: 'tfjs' });
  expectClose(actual, await expected(model, dataset([8, 8, 2], SIZES)));
});

it('is a call of Trainer too, between its fits', async () => {
  const model = mlp(tf.train.sgd(0.1));
  await using trainer = new Trainer(model, { workers: 2, batchSize: 7, batchStatistics: 'shard' });
  await trainer.fitDataset(dataset([6], SIZES));
  expectClose(await trainer.evaluateDataset(dataset([6], SIZES)), await expected(model, dataset([6], SIZES)));
});

it('passes on what the data set throws', async () => {
  const { batch } = batches([6], SIZES);
  let given = 0;
  const failing: BatchDataset = {
    iterator: async () => ({
      next: async () => {
        if (given === 2) throw new Error('the disk is gone');
        return { value: batch(given++), done: false };
      },
    }),
  };
  await expect(evaluateDataset(mlp(tf.train.sgd(0.1)), failing, { workers: 2 })).rejects.toThrow('the disk is gone');
});

it('ends with the reason of its signal, while it computes and while it waits for a batch', async () => {
  for (const stuck of [false, true]) {
    const controller = new AbortController();
    const { batch } = batches([6], SIZES);
    let given = 0;
    const endless: BatchDataset = {
      iterator: async () => ({
        next: async () => {
          if (given++ === 3) setTimeout(() => controller.abort(new Error('enough')), 20);
          if (stuck && given > 3) return new Promise(() => {});
          await new Promise((resolve) => setImmediate(resolve));
          return { value: batch(0), done: false };
        },
      }),
    };
    const { signal } = controller;
    await expect(evaluateDataset(mlp(tf.train.sgd(0.1)), endless, { workers: 2, signal })).rejects.toThrow('enough');
  }
});

const REFUSED: [string, () => [unknown, object], string][] = [
  ['no data set', () => [[1, 2], {}], 'evaluateDataset takes a tf.data.Dataset'],
  ['an empty one', () => [tf.data.array([]), {}], 'the data set has no batches'],
  ['other columns', () => [dataset([5], [4]), {}], 'xs in batch 1 of the data set must have the shape [rows, 6]'],
  ['an unknown option', () => [dataset([6], [4]), { batchSize: 3 }], "evaluateDataset has no option 'batchSize'"],
  ['batches of 0', () => [dataset([6], [4]), { batches: 0 }], 'batches must be a whole number of at least 1, got 0'],
];

it.each(REFUSED)('refuses %s', async (_, given, message) => {
  const [data, options] = given();
  await expect(evaluateDataset(mlp(tf.train.sgd(0.1)), data as BatchDataset, options)).rejects.toThrow(message);
});
