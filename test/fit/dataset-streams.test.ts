/** What `fitDataset` does with data sets that are not one size of batch after the other, read from the beginning each time. */
import { getEventListeners } from 'node:events';
import * as tf from '@tensorflow/tfjs';
import { type BatchDataset, type FitDatasetOptions, fitDataset } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { batches, dataset } from './support/batches.js';
import { expectSameHistory, expectSameWeights } from './support/matchers.js';
import { mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

function twins(build: () => tf.LayersModel): [tf.LayersModel, tf.LayersModel] {
  const [ours, theirs] = [build(), build()];
  theirs.setWeights(ours.getWeights());
  return [ours, theirs];
}

it('trains on batches of several sizes, each an update', async () => {
  const { run } = await fitDataset(mlp(tf.train.sgd(0.1)), batches(9, 4, 6, 9, 1), { workers: 2 });
  expect(run).toMatchObject({ updates: 5, rows: 29 });
});

it('trains on many small batches behind a larger one as tfjs', async () => {
  const sizes = [64, ...Array<number>(150).fill(32)];
  const [ours, theirs] = twins(() => mlp(tf.train.sgd(0.1)));
  const actual = await fitDataset(ours, batches(...sizes), {
    epochs: 1,
    workers: 2,
    validationData: batches(...sizes),
  });
  const options = { epochs: 1, validationData: batches(...sizes) as tf.data.Dataset<tf.TensorContainer> };
  expectSameHistory(actual, await theirs.fitDataset(batches(...sizes) as typeof options.validationData, options));
  expectSameWeights(ours, theirs);
});

it('tells the size of the first batch and the rows of the validation', async () => {
  let params: { batchSize?: number } | undefined;
  const watching = new tf.CustomCallback({});
  watching.setParams = (given) => {
    params = given as typeof params;
  };
  const { run } = await fitDataset(mlp(tf.train.sgd(0.1)), batches(9, 4), {
    ...{ workers: 1, epochs: 2, callbacks: watching as never, validationData: batches(7, 7, 2) },
  });
  expect(run).toMatchObject({ batchSize: 9, validationRows: 16 });
  expect(params?.batchSize).toBe(9);
});

/** Gives its batches once, however often it is asked for an iterator. */
function once(dataset: BatchDataset): BatchDataset {
  const iterator = dataset.iterator();
  return { iterator: () => iterator };
}

it.each<[string, () => [BatchDataset, FitDatasetOptions]]>([
  ['the data set', () => [once(batches(4, 4)), {}]],
  ['the validation data set', () => [batches(4, 4), { validationData: once(batches(4)) }]],
])('says so where %s cannot be read a second time', async (name, given) => {
  const [data, options] = given();
  const training = fitDataset(mlp(tf.train.sgd(0.1)), data, { ...options, epochs: 2, workers: 1 });
  await expect(training).rejects.toThrow(`${name} gave no batches when it was read once more`);
});

it('has one learning rate for an epoch, whose first weights are seen in onBatchEnd', async () => {
  const [ours, theirs] = twins(() => mlp(tf.train.sgd(0.1)));
  const [first] = ours.getWeights().map((weight) => weight.dataSync().slice());
  const seen: boolean[] = [];
  const onBatchEnd = () => {
    (ours.optimizer as unknown as { setLearningRate(rate: number): void }).setLearningRate(0.001);
    seen.push(String(ours.getWeights()[0]?.dataSync()) === String(first));
  };
  // 64 batches fill a window: more than one is needed.
  await fitDataset(ours, dataset(700, [6], 5), { workers: 2, callbacks: { onBatchEnd } });
  await theirs.fitDataset(dataset(700, [6], 5), { epochs: 1 });
  expectSameWeights(ours, theirs);
  expect(seen).toEqual(Array<boolean>(140).fill(true));
});

it('waits for an iterator no longer than the signal lets it, and leaves no listeners behind', async () => {
  const controller = new AbortController();
  await fitDataset(mlp(tf.train.sgd(0.1)), batches(4, 4), { workers: 1, signal: controller.signal });
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  const never: BatchDataset = { iterator: () => new Promise(() => {}) };
  const training = fitDataset(mlp(tf.train.sgd(0.1)), never, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 10);
  await expect(training).rejects.toThrow('enough');
});

it('names a size of batch that cannot be cut, where the first could', async () => {
  // Rows of a batch of 5 depend on each other in pairs.
  const loss = (y: tf.Tensor, z: tf.Tensor) =>
    z.shape[0] === 5 ? tf.mean(tf.square(tf.matMul(z, z, false, true))) : tf.mean(tf.squaredDifference(y, z), -1);
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [6] })] });
  model.compile({ optimizer: 'sgd', loss: loss as () => tf.Scalar });
  const before = model.getWeights()[0]?.dataSync().slice();
  const training = fitDataset(model, batches(8, 6, 8, 5), { workers: 2 });
  await expect(training).rejects.toThrow(/^a mini-batch of 5 rows cannot be cut into 2 shards, as larger ones were: /);
  // The window before is trained.
  expect(model.getWeights()[0]?.dataSync()).not.toEqual(before);
});
