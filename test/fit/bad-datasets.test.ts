/** Data sets that give something else than batches are refused, and the tensors they gave are disposed of. */
import * as tf from '@tensorflow/tfjs';
import { type BatchDataset, type FitDatasetOptions, fitDataset } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

/** A data set whose iterator gives what `results` make, one after the other. */
const giving = (...results: (() => unknown)[]): BatchDataset => ({
  iterator: async () => ({ next: async () => results.shift()?.() as IteratorResult<unknown> }),
});
const batch = () => ({ value: { xs: tf.ones([4, 6]), ys: tf.ones([4, 3]) }, done: false });
const end = { value: undefined, done: true };

async function refusal(dataset: BatchDataset, options?: FitDatasetOptions): Promise<Error> {
  const model = mlp();
  const before = tf.memory().numTensors;
  const error = await fitDataset(model, dataset, { workers: 1, ...options }).then(
    () => new Error('fitDataset trained'),
    (error: Error) => error,
  );
  // What was not read of the data set is not ours.
  expect(tf.memory().numTensors).toBe(before);
  return error;
}

describe('fitDataset refuses a data set', () => {
  it.each<[string, () => BatchDataset, string]>([
    ['whose next() gives nothing', () => giving(), 'next() of the data set must give { value, done }, got undefined'],
    ['whose second next() gives null', () => giving(batch, () => null), 'must give { value, done }, got null'],
    ['without an iterator', () => ({ iterator: async () => undefined as never }), 'must give an object with next()'],
    [
      'of batches without ys',
      () => giving(() => ({ value: { xs: tf.ones([4, 6]) }, done: false })),
      'batch 1 of the data set must be an object { xs, ys } with the rows of a batch, got one with xs',
    ],
    [
      'of lists',
      () => giving(() => ({ value: [tf.ones([4, 6]), tf.ones([4, 3])], done: false })),
      'batch 1 of the data set must be an object { xs, ys }',
    ],
  ])('%s', async (_, dataset, message) => {
    const error = await refusal(dataset());
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(message);
  });
});

it('fitDataset refuses validationData that is null', async () => {
  const error = await refusal(
    giving(() => end),
    { validationData: null as never },
  );
  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toContain('validationData must be [x, y] or [x, y, sampleWeight]');
});
