/** Layers that carry states from one mini-batch to the next, beside tfjs. */
import * as tf from '@tensorflow/tfjs';
import { evaluate, fit, predict } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNoThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

function recurrent(): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.gru({ units: 3, stateful: true, batchInputShape: [4, 5, 2] }));
  model.add(tf.layers.dense({ units: 1 }));
  model.compile({ optimizer: tf.train.sgd(0.3), loss: 'meanSquaredError' });
  return model;
}

const rows = (count: number) => tf.randomUniform([count, 5, 2], -1, 1, 'float32', 3);
const targets = (count: number) => tf.randomUniform([count, 1], -1, 1, 'float32', 4);
const ARGS = { batchSize: 4, epochs: 3, shuffle: false };

it.each(['onEpochBegin', 'onEpochEnd'] as const)('resetStates in %s reaches the workers', async (hook) => {
  const [ours, theirs] = [recurrent(), recurrent()];
  theirs.setWeights(ours.getWeights());
  const [x, y] = [rows(12), targets(12)];
  const resetting = (model: tf.LayersModel) => ({ [hook]: async () => model.resetStates() });
  const { history, run } = await fit(ours, x, y, { ...ARGS, workers: 2, callbacks: resetting(ours) });
  const expected = await theirs.fit(x, y, { ...ARGS, callbacks: resetting(theirs) });
  history.loss?.forEach((loss, epoch) => {
    expect(loss).toBeCloseTo(expected.history.loss?.[epoch] as number, 5);
  });
  expect(run.warnings.join()).not.toContain('reset the states');
  expect(Object.keys(ours.layers[0] as object)).not.toContain('resetStates');
});

it('resetStates in a batch hook is told to come later', async () => {
  const model = recurrent();
  const callbacks = { onBatchEnd: async () => model.resetStates() };
  const { run } = await fit(model, rows(12), targets(12), { ...ARGS, workers: 2, callbacks });
  expect(run.warnings.filter((warning) => warning.startsWith('a callback reset the states'))).toHaveLength(1);
});

it.each([1, 2, 3])('is predicted in order with %i workers', async (workers) => {
  const model = recurrent();
  const x = rows(24);
  const output = (await predict(model, x, { batchSize: 4, workers })) as tf.Tensor;
  const expected = model.predict(x, { batchSize: 4 }) as tf.Tensor;
  expect(tf.max(tf.abs(tf.sub(output, expected))).dataSync()[0]).toBeLessThan(1e-5);
});

it.each([1, 2])('is evaluated in order with %i workers', async (workers) => {
  const model = recurrent();
  const [x, y] = [rows(24), targets(24)];
  const { loss } = await evaluate(model, x, y, { batchSize: 4, workers });
  expect(loss).toBeCloseTo((model.evaluate(x, y, { batchSize: 4 }) as tf.Scalar).dataSync()[0] as number, 5);
});

it('is not cut into shards', async () => {
  const cut = fit(recurrent(), rows(12), targets(12), { batchSize: 4, batchStatistics: 'shard', shards: 2 });
  await expect(cut).rejects.toThrow('its mini-batches cannot be cut into 2 shards');
});

describe('rows that do not divide into mini-batches', () => {
  it.each([
    [14, 4, 'the model is stateful: x must have a multiple of 4 rows, the batch size, got 14; leave out 2 of them'],
    [
      16,
      8,
      'the model is stateful, with states for mini-batches of 4 rows, got x in mini-batches of 8: batchSize must be 4',
    ],
  ])('are refused before any thread starts (%i rows, %i at a time)', async (count, batchSize, message) => {
    const [model, x, y] = [recurrent(), rows(count), targets(count)];
    for (const call of [
      () => fit(model, x, y, { batchSize }),
      () => evaluate(model, x, y, { batchSize }),
      () => predict(model, x, { batchSize }),
    ]) {
      await expectNoThreads(() => expect(call() as Promise<unknown>).rejects.toThrow(message));
    }
  });
});
