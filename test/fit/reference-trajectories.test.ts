/** Numbers that other libraries test their optimizers against: Keras' own tests, and ensmallen's ParallelSGD test. */
import * as tf from '@tensorflow/tfjs';
import { fit, type Optimizer, sgd } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Loss, repeated, targetsAsGradient, vector } from './support/linear.js';
import { weightsOf } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

/** Weights after each of `steps` updates with a constant gradient. */
async function trajectory(start: number[], gradient: number[], optimizer: Optimizer, steps: number, workers: number) {
  const model = vector(start, targetsAsGradient);
  const { x, y } = repeated(gradient, 5);
  const weights: number[][] = [];
  const onEpochEnd = () => void weights.push([...(weightsOf(model)[0] as Float32Array)]);
  await fit(model, x, y, { batchSize: 5, epochs: steps, optimizer, workers, callbacks: { onEpochEnd } });
  return weights;
}

function expectTrajectory(actual: number[][], expected: number[][]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((weights, t) => {
    weights.forEach((w, i) => {
      expect(actual[t]?.[i], `weight ${i} after update ${t + 1}`).toBeCloseTo(w, 5);
    });
  });
}

describe.each([1, 2, 3])('SGD with %i workers', (workers) => {
  it('with momentum 0.9', async () => {
    const optimizer = sgd({ learningRate: 2, momentum: 0.9 });
    const expected = [
      [0.8, 2.98],
      [0.42, 2.942],
    ];
    expectTrajectory(await trajectory([1, 3], [0.1, 0.01], optimizer, 2, workers), expected);
  });

  it('with decay 0.5', async () => {
    const optimizer = sgd({ learningRate: 3, decay: 0.5 });
    expectTrajectory(await trajectory([1], [0.1], optimizer, 2, workers), [[0.7], [0.5]]);
  });

  it('plain', async () => {
    const optimizer = sgd({ learningRate: 0.5 });
    expectTrajectory(await trajectory([1, 2, 3, 4], [1, 6, 7, 2], optimizer, 1, workers), [[0.5, -1, -0.5, 3]]);
  });

  it("with momentum and decay: Keras' velocity is a step, taken at the rate of its time", async () => {
    // v1 = -3 * 0.1; v2 = 0.9 * v1 - 3 / 1.5 * 0.1.
    const optimizer = sgd({ learningRate: 3, momentum: 0.9, decay: 0.5 });
    expectTrajectory(await trajectory([1], [0.1], optimizer, 2, workers), [[0.7], [0.23]]);
  });

  it('with nesterov', async () => {
    // v1 = -0.2, w -= 0.18 + 0.2; v2 = -0.38, w -= 0.342 + 0.2.
    const optimizer = sgd({ learningRate: 2, momentum: 0.9, nesterov: true });
    expectTrajectory(await trajectory([1], [0.1], optimizer, 2, workers), [[0.62], [0.078]]);
  });
});

describe('the quadratic f = sum x^2 + b.x + c', () => {
  const b = [-4, -2, -3, -8];
  const c = 20 + 12 + 15 + 100;
  const f: Loss = (yTrue, yPred) => tf.add(tf.sum(tf.add(tf.square(yPred), tf.mul(yTrue, yPred)), -1), c);

  it.each([1, 2, 3, 4])('has its minimum found by %i workers', async (workers) => {
    const model = vector([0, 0, 0, 0], f);
    const { x, y } = repeated(b, 10);
    const history = await fit(model, x, y, { batchSize: 4, epochs: 20, workers });
    const [weights] = weightsOf(model);
    [2, 1, 1.5, 4].forEach((value, i) => {
      expect(weights?.[i]).toBeCloseTo(value, 4);
    });
    expect(history.history.loss?.at(-1)).toBeCloseTo(123.75, 3);
  });
});
