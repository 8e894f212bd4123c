/** `evaluate` on several threads beside tfjs' `model.evaluate` on one. */
import { getEventListeners } from 'node:events';
import * as tf from '@tensorflow/tfjs';
import { type EvaluateOptions, evaluate, fit, predict } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { denseAround, residualCnn } from './support/coupled.js';
import { classes, cnn, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

async function expected(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor, batchSize: number): Promise<number[]> {
  const scalars = [model.evaluate(x, y, { batchSize })].flat();
  return scalars.map((scalar) => scalar.dataSync()[0] as number);
}

function expectClose(actual: Record<string, number>, reference: number[]): void {
  Object.values(actual).forEach((value, i) => {
    expect(value).toBeCloseTo(reference[i] as number, 5);
  });
}

const MODELS: [string, () => tf.LayersModel, number[]][] = [
  ['an MLP', () => mlp(tf.train.sgd(0.1)), [6]],
  ['a CNN', () => cnn(tf.train.sgd(0.1)), [8, 8, 1]],
  ['a residual CNN with batch norm', () => residualCnn(), [8, 8, 2]],
];

describe.each(MODELS)('%s', (_, build, shape) => {
  it.each([1, 2, 3])('has the loss and metrics of tfjs with %i workers', async (workers) => {
    const model = build();
    const { x, y } = classes(37, shape);
    const actual = await evaluate(model, x, y, { batchSize: 10, workers });
    expect(Object.keys(actual)).toEqual(['loss', 'acc']);
    expectClose(actual, await expected(model, x, y, 10));
  });
});

it('agrees with the validation of fit, and leaves the model and its memory as they were', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const { x, y } = classes(20, [6]);
  const { history } = await fit(model, x, y, { epochs: 1, validationData: [x, y], workers: 2 });
  const [before, weights] = [tf.memory().numTensors, model.getWeights().map((weight) => weight.dataSync())];
  const { loss, acc } = await evaluate(model, x, y, { workers: 2 });
  expect([loss, acc]).toEqual([history.val_loss?.[0], history.val_acc?.[0]]);
  expect(tf.memory().numTensors).toBe(before);
  expect(model.getWeights().map((weight) => weight.dataSync())).toEqual(weights);
});

it('takes the first mini-batches alone, and verbose as tfjs does', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const { x, y } = classes(20, [6]);
  const first = await evaluate(model, x, y, { workers: 2, batchSize: 8, steps: 2, verbose: 0 });
  expect(first).toEqual(await evaluate(model, x.slice([0], [16]), y.slice([0], [16]), { workers: 2, batchSize: 8 }));
  await expect(evaluate(model, x, y, { batchSize: 8, steps: 4 })).rejects.toThrow(
    'steps must be a whole number from 1',
  );
});

it('weights rows', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const { x, y } = classes(6, [6]);
  const { loss } = await evaluate(model, x, y, { workers: 2, sampleWeight: [2, 2, 2, 0, 0, 0] });
  const { loss: ofFirst } = await evaluate(model, x.slice([0], [3]), y.slice([0], [3]));
  expect(loss).toBeCloseTo(ofFirst as number, 5);
});

it('takes the rows together where a loss needs all of them at once', async () => {
  const gram = (_: tf.Tensor, z: tf.Tensor) => tf.mean(tf.square(tf.matMul(z, z, false, true)));
  const model = denseAround((x) => tf.relu(x), gram);
  const { x, y } = classes(20, [6]);
  expectClose(await evaluate(model, x, y, { batchSize: 8, workers: 3 }), await expected(model, x, y, 8));
});

it('and predict end when the signal says so, and leave no listeners behind', async () => {
  const model = mlp(tf.train.sgd(0.1));
  const { x, y } = classes(900_000, [6]);
  for (const call of [evaluate, (m: tf.LayersModel, rows: tf.Tensor, _: tf.Tensor, o: object) => predict(m, rows, o)]) {
    const controller = new AbortController();
    const { signal } = controller;
    const working = call(model, x, y, { workers: 2, batchSize: 1, signal });
    setTimeout(() => controller.abort(new Error('enough')), 200);
    await expect(working).rejects.toThrow('enough');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await expect(call(model, x, y, { signal })).rejects.toThrow('enough');
  }
});

it.each<[EvaluateOptions | Record<string, unknown>, string]>([
  [{ batchsize: 3 }, "evaluate has no option 'batchsize'"],
  [{ batchSize: 0 }, 'batchSize must be a whole number of at least 1, got 0'],
  [{ workers: 0 }, 'workers must be'],
  [{ sampleWeight: [1] }, 'sampleWeight must have one weight for each of 6 rows'],
])('refuses %o', async (options, message) => {
  const { x, y } = classes(6, [6]);
  await expect(evaluate(mlp(tf.train.sgd(0.1)), x, y, options)).rejects.toThrow(message);
});
