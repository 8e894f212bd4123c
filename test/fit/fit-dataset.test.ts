/** `fitDataset` on several threads beside tfjs' `model.fitDataset` on one. */
import * as tf from '@tensorflow/tfjs';
import { type BatchDataset, type FitDatasetOptions, fit, fitDataset, Trainer } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { batches, dataset } from './support/batches.js';
import { residualCnn } from './support/coupled.js';
import { classes, cnn, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

function twins(build: () => tf.LayersModel): [tf.LayersModel, tf.LayersModel] {
  const [ours, theirs] = [build(), build()];
  theirs.setWeights(ours.getWeights());
  return [ours, theirs];
}

function expectSameWeights(ours: tf.LayersModel, theirs: tf.LayersModel): void {
  ours.getWeights().forEach((weight, i) => {
    const [actual, expected] = [weight.dataSync(), theirs.getWeights()[i]?.dataSync() as Float32Array];
    actual.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[at] as number, 4);
    });
  });
}

function expectSameHistory(ours: tf.History, theirs: tf.History): void {
  expect(Object.keys(ours.history).sort()).toEqual(Object.keys(theirs.history).sort());
  for (const [name, values] of Object.entries(theirs.history)) {
    values.forEach((value, epoch) => {
      expect(ours.history[name]?.[epoch], `${name} of epoch ${epoch}`).toBeCloseTo(value as number, 4);
    });
  }
}

const MODELS: [string, () => tf.LayersModel, number[]][] = [
  ['an MLP', () => mlp(tf.train.momentum(0.1, 0.9)), [6]],
  ['a CNN', () => cnn(tf.train.sgd(0.1)), [8, 8, 1]],
  ['a residual CNN with batch norm', () => residualCnn(), [8, 8, 2]],
];

describe.each(MODELS)('%s', (_, build, shape) => {
  it.each([1, 2, 3])('trains as with tfjs, the smaller last batch too, with %i workers', async (workers) => {
    const [ours, theirs] = twins(build);
    const actual = await fitDataset(ours, dataset(37, shape, 8), { epochs: 2, workers });
    expectSameHistory(actual, await theirs.fitDataset(dataset(37, shape, 8), { epochs: 2 }));
    expectSameWeights(ours, theirs);
    expect(actual.run).toMatchObject({ rows: 37, miniBatches: 5, updates: 10, epochs: 2 });
  });
});

const VALIDATIONS: [string, () => object][] = [
  ['a data set', () => ({ validationData: dataset(21, [6], 5) })],
  ['the first batches of a data set', () => ({ validationData: dataset(21, [6], 5), validationBatches: 2 })],
  [
    'arrays',
    () => {
      const { x, y } = classes(21, [6]);
      return { validationData: [x, y], validationBatchSize: 4 };
    },
  ],
];

it.each(VALIDATIONS)('validates with %s as tfjs', async (_, validation) => {
  const [ours, theirs] = twins(() => mlp(tf.train.sgd(0.1)));
  const actual = await fitDataset(ours, dataset(24, [6], 8), { epochs: 2, workers: 2, ...validation() });
  const expected = await theirs.fitDataset(dataset(24, [6], 8), { epochs: 2, ...validation() } as never);
  expectSameHistory(actual, expected);
});

it('ends epochs after batchesPerEpoch and goes on with the batches that follow, as tfjs', async () => {
  const [ours, theirs] = twins(() => mlp(tf.train.sgd(0.1)));
  const options = { batchesPerEpoch: 3, epochs: 3 };
  const actual = await fitDataset(ours, dataset(90, [6], 10), { ...options, workers: 2 });
  expectSameHistory(actual, await theirs.fitDataset(dataset(90, [6], 10), options));
  expectSameWeights(ours, theirs);
});

it('ends with a warning when the data set has too few batches for batchesPerEpoch', async () => {
  const heard: string[] = [];
  const { history, run } = await fitDataset(mlp(tf.train.sgd(0.1)), dataset(50, [6], 10), {
    ...{ batchesPerEpoch: 3, epochs: 4, workers: 2 },
    onWarning: (warning) => heard.push(warning),
  });
  expect(history.loss).toHaveLength(2);
  expect(run.updates).toBe(5);
  expect(heard[0]).toMatch(/^the data set ended in epoch 2, before its 3 batches were full/);
  expect(run.warnings).toEqual(heard);
});

it('takes batches through windows of the arena with the same bits as fit has from all rows', async () => {
  const [ours, theirs] = twins(() => mlp(tf.train.momentum(0.1, 0.9)));
  const { x, y } = classes(700, [6]);
  // 64 batches fill a window: these go through three of them.
  const actual = await fitDataset(ours, dataset(700, [6], 5), { epochs: 2, workers: 2 });
  const expected = await fit(theirs, x, y, { batchSize: 5, epochs: 2, workers: 2, shuffle: false });
  expect(actual.history).toEqual(expected.history);
  ours.getWeights().forEach((weight, i) => {
    expect(weight.dataSync()).toEqual(theirs.getWeights()[i]?.dataSync());
  });
});

it('has the same bits for any number of workers', async () => {
  const models = twins(() => mlp(tf.train.sgd(0.1)));
  const [one, three] = await Promise.all(
    models.map((model, i) =>
      fitDataset(model, dataset(33, [6], 8), { shards: 3, workers: [1, 3][i] as number, seed: 1 }),
    ),
  );
  expect(one?.history).toEqual(three?.history);
});

it('calls callbacks for every batch and weighs classes', async () => {
  const [ours, theirs] = twins(() => mlp(tf.train.sgd(0.1)));
  const seen: number[] = [];
  const classWeight = { 0: 1, 1: 3, 2: 0.5 };
  const onBatchEnd = (batch: number) => {
    seen.push(batch);
  };
  await fitDataset(ours, dataset(400, [6], 5), { workers: 2, classWeight, callbacks: { onBatchEnd } });
  const { x, y } = classes(400, [6]);
  await theirs.fit(x, y, { batchSize: 5, shuffle: false, classWeight });
  expect(seen).toEqual(Array.from({ length: 80 }, (_, batch) => batch));
  expectSameWeights(ours, theirs);
});

it('disposes of the tensors of the data set', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const rows = dataset(20, [6], 5);
  await fitDataset(model, rows, { workers: 2 });
  const before = tf.memory().numTensors;
  await fitDataset(model, rows, { workers: 2, epochs: 2 });
  expect(tf.memory().numTensors).toBe(before);
});

it('stops within an epoch when the signal says so, even while it waits for a batch', async () => {
  const controller = new AbortController();
  const { x, y } = classes(5, [6]);
  let given = 0;
  const stuck: BatchDataset = {
    iterator: async () => ({
      next: async () => {
        if (given++ < 2) return { value: { xs: x.clone(), ys: y.clone() }, done: false };
        controller.abort(new Error('enough'));
        return new Promise(() => {});
      },
    }),
  };
  await expect(fitDataset(mlp(tf.train.sgd(0.1)), stuck, { signal: controller.signal })).rejects.toThrow('enough');
});

it('passes on what the data set throws, with the weights of the updates before', async () => {
  const [model, twin] = twins(() => mlp(tf.train.sgd(0.1)));
  const { x, y } = classes(10, [6]);
  const failing: BatchDataset = {
    iterator: async () => {
      let given = 0;
      return {
        next: async () => {
          if (given++ === 64) throw new Error('the disk is gone');
          return { value: { xs: x.clone(), ys: y.clone() }, done: false };
        },
      };
    },
  };
  await expect(fitDataset(model, failing, { workers: 2 })).rejects.toThrow('the disk is gone');
  await fit(twin, tf.tile(x, [64, 1]), tf.tile(y, [64, 1]), { batchSize: 10, shuffle: false, workers: 2 });
  expectSameWeights(model, twin);
});

it('is a call of Trainer too', async () => {
  await using trainer = new Trainer(mlp(tf.train.sgd(0.1)), { workers: 2, batchSize: 7 });
  const { history } = await trainer.fitDataset(dataset(20, [6], 5), { epochs: 2 });
  expect(history.loss).toHaveLength(2);
});

const REFUSED: [string, () => [unknown, object], string][] = [
  ['no data set', () => [[1, 2], {}], 'fitDataset takes a tf.data.Dataset'],
  ['an empty one', () => [batches(), {}], 'the data set has no batches'],
  ['a batch larger than the first', () => [batches(4, 5), {}], 'batch 2 of the data set has 5 rows, the first had 4'],
  [
    'elements of another form',
    () => [tf.data.array([{ x: 1 }]), {}],
    'batch 1 of the data set must be an object { xs, ys }',
  ],
  [
    'other columns',
    () => [tf.data.array([{ xs: tf.zeros([2, 5]), ys: tf.zeros([2, 3]) }] as never), {}],
    'xs in batch 1 of the data set must have the shape [rows, 6]',
  ],
  ['an unknown option', () => [batches(4), { batchSize: 3 }], "fitDataset has no option 'batchSize'"],
  [
    'batchesPerEpoch of 0',
    () => [batches(4), { batchesPerEpoch: 0 }],
    'batchesPerEpoch must be a whole number of at least 1, got 0',
  ],
];

it.each(REFUSED)('refuses %s', async (_, given, message) => {
  const [data, options] = given();
  const training = fitDataset(mlp(tf.train.sgd(0.1)), data as BatchDataset, options as FitDatasetOptions);
  await expect(training).rejects.toThrow(message);
});
