/** Options that make no sense are refused before any thread starts, with what was wrong and what to do. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';
import { expectNoThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

async function refusal(options: unknown): Promise<Error> {
  const { x, y } = classes(10);
  const error = await expectNoThreads(() =>
    fit(mlp(), x, y, options as FitOptions).then(
      () => undefined,
      (error: Error) => error,
    ),
  );
  if (!error) throw new Error('fit trained');
  return error;
}

describe('fit refuses', () => {
  it.each<[string, unknown, typeof TypeError | typeof RangeError, string]>([
    ['batchSize 0', { batchSize: 0 }, RangeError, 'batchSize must be a whole number of at least 1, got 0'],
    ['batchSize -1', { batchSize: -1 }, RangeError, 'batchSize must be a whole number of at least 1, got -1'],
    ['batchSize 1.5', { batchSize: 1.5 }, RangeError, 'batchSize must be a whole number of at least 1, got 1.5'],
    ['batchSize NaN', { batchSize: Number.NaN }, RangeError, 'batchSize must be a whole number of at least 1, got NaN'],
    ["batchSize '8'", { batchSize: '8' }, TypeError, "batchSize must be a whole number of at least 1, got '8'"],
    ['batchSize null', { batchSize: null }, TypeError, 'batchSize must be a whole number of at least 1, got null'],
    ['epochs 0', { epochs: 0 }, RangeError, 'epochs must be a whole number of at least 1, got 0'],
    ['epochs 2.5', { epochs: 2.5 }, RangeError, 'epochs must be a whole number of at least 1, got 2.5'],
    ['epochs Infinity', { epochs: Number.POSITIVE_INFINITY }, RangeError, 'epochs must be'],
    [
      'learningRate',
      { learningRate: 0.1 },
      TypeError,
      "which is the optimizer's: optimizer: sgd({ learningRate: 0.1 })",
    ],
    ['initialEpoch -1', { initialEpoch: -1 }, RangeError, 'initialEpoch must be a whole number of at least 0, got -1'],
    ['validationSplit 1.2', { validationSplit: 1.2 }, RangeError, 'validationSplit must be in [0, 1), got 1.2'],
    ['validationSplit -0.1', { validationSplit: -0.1 }, RangeError, 'validationSplit must be in [0, 1), got -0.1'],
    ['validationSplit 1', { validationSplit: 1 }, RangeError, 'validationSplit must be in [0, 1), got 1'],
    ['validationSplit NaN', { validationSplit: Number.NaN }, RangeError, 'validationSplit must be in [0, 1), got NaN'],
    ["validationSplit '0.2'", { validationSplit: '0.2' }, TypeError, 'validationSplit must be in [0, 1)'],
    ['a validationSplit that leaves no row', { validationSplit: 0.95 }, RangeError, '0.95 leaves no row of 10'],
    ['validationData that is no pair', { validationData: [[[1]]] }, TypeError, 'sampleWeight], got an array of 1'],
    ['validationData that is a number', { validationData: 5 }, TypeError, 'validationData must be [x, y]'],
    ['workers 0', { workers: 0 }, RangeError, "workers must be 'auto' or a whole number from 1 to 1024, got 0"],
    ['workers 1.5', { workers: 1.5 }, RangeError, "workers must be 'auto' or a whole number from 1 to 1024, got 1.5"],
    ["workers 'many'", { workers: 'many' }, TypeError, "workers must be 'auto' or a whole number"],
    ['shards 0', { shards: 0 }, RangeError, 'shards must be a whole number of at least 1, got 0'],
    ['seed NaN', { seed: Number.NaN }, RangeError, 'seed must be a whole number of at least 0, got NaN'],
    ['seed -1', { seed: -1 }, RangeError, 'seed must be a whole number of at least 0, got -1'],
    ['shuffle 1', { shuffle: 1 }, TypeError, 'shuffle must be true or false, got 1'],
    ['verbose 3', { verbose: 3 }, RangeError, 'verbose must be 0 or 1 or 2, got 3'],
    ['a compiled optimizer', { optimizer: tf.train.sgd(1) }, TypeError, 'optimizer must be sgd({ ... }), adam'],
    ['an optimizer that is a number', { optimizer: 0.1 }, TypeError, "or another of shardfit's, got 0.1"],
    [
      'a signal that is none',
      { signal: { aborted: false } },
      TypeError,
      'signal must be an AbortSignal, as of new AbortController(), got an object',
    ],
    ['onProgress that is no function', { onProgress: 5 }, TypeError, 'onProgress must be a function, got 5'],
    ['callbacks that are a string', { callbacks: 'log' }, TypeError, 'callbacks must be objects with onTrainBegin'],
    ['a callback that is no function', { callbacks: { onEpochEnd: 5 } }, TypeError, 'onEpochEnd must be a function'],
    [
      "yieldEvery 'batches'",
      { yieldEvery: 'batches' },
      TypeError,
      "yieldEvery must be 'auto', 'batch', 'epoch', 'never'",
    ],
    ['yieldEvery -1', { yieldEvery: -1 }, RangeError, 'or a number of milliseconds above 0, got -1'],
    ['options that are no object', 5, TypeError, 'options'],
    ['options that are null', null, TypeError, 'options'],
  ])('%s', async (_, options, type, message) => {
    const error = await refusal(options);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toContain(message);
  });

  it.each([
    ['batchsize', 'batchSize'],
    ['batch_size', 'batchSize'],
    ['epoch', 'epochs'],
    ['validation_split', 'validationSplit'],
    ['worker', 'workers'],
    ['callback', 'callbacks'],
  ])("unknown option '%s', and points to '%s'", async (unknown, known) => {
    const error = await refusal({ [unknown]: 1 });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`fit has no option '${unknown}'; did you mean '${known}'?`);
  });

  it('an option unlike any other, and lists those it has', async () => {
    expect((await refusal({ temperature: 1 })).message).toMatch(/no option 'temperature'; it has batchSize, epochs, /);
  });
});

it('fit takes a batch larger than the data as one batch', async () => {
  const { x, y } = classes(10);
  const history = await fit(mlp(), x, y, { batchSize: 1000, epochs: 3, workers: 2 });
  expect(history.run).toMatchObject({ miniBatches: 1, updates: 3 });
});
