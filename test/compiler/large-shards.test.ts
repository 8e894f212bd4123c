/** Rewritings that only large shards take: products of taps and sums in pieces, long broadcasts. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectTrainingStep, random } from './expect-step.js';
import { countOf, onnxOf } from './onnx-of.js';
import { runProgram, specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });

function compiled(layers: tf.layers.Layer[]): tf.Sequential {
  const model = tf.sequential({ layers });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mse'] });
  return model;
}

/** Of 40 images, a piece has some 27. Smooth, so that no rounding turns a gradient on or off. */
function images(options: { filters?: number; strides?: number; padding?: 'same' | 'valid' }): tf.Sequential {
  const { batchNormalization, conv2d, activation, averagePooling2d, flatten, dense } = tf.layers;
  return compiled([
    conv2d({ inputShape: [14, 14, 2], filters: 16, kernelSize: 1, useBias: false, kernelInitializer: seeded(1) }),
    conv2d({ filters: 32, kernelSize: 3, useBias: false, kernelInitializer: seeded(2), ...options }),
    batchNormalization({ gammaInitializer: tf.initializers.randomUniform({ minval: 0.5, maxval: 2, seed: 3 }) }),
    activation({ activation: 'tanh' }),
    averagePooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 2, kernelInitializer: seeded(4) }),
  ]);
}

describe('large shards have the values and gradients of tfjs', () => {
  it.each([
    ['with padding', 40, { padding: 'same' }],
    ['with filters that make no blocks', 40, { filters: 20, padding: 'same' }],
    ['without padding', 40, {}],
    ['with strides', 120, { padding: 'same', strides: 2 }],
    ['with strides, and filters that make no blocks', 120, { filters: 20, padding: 'same', strides: 2 }],
  ] as const)('in convolutions and batch norm %s', async (_, rows, options) => {
    await expectTrainingStep(images(options), [random([rows, 14, 14, 2], 5)], [random([rows, 2], 6)]);
  });

  it('where a pooling hands down its gradient in parts', async () => {
    const { batchNormalization, conv2d, maxPooling2d, flatten, dense } = tf.layers;
    const model = compiled([
      conv2d({
        inputShape: [14, 14, 2],
        filters: 16,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        kernelInitializer: seeded(1),
      }),
      batchNormalization({}),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 2, kernelInitializer: seeded(2) }),
    ]);
    await expectTrainingStep(model, [random([40, 14, 14, 2], 7)], [random([40, 2], 8)]);
  });

  it('where the number of rows is a prime', async () => {
    const model = compiled([
      tf.layers.dense({ inputShape: [5], units: 9, activation: 'tanh', kernelInitializer: seeded(1) }),
      tf.layers.dense({ units: 1, kernelInitializer: seeded(2) }),
    ]);
    await expectTrainingStep(model, [random([2003, 5], 5)], [random([2003, 1], 6)]);
  });
});

it('transposes the gradient once for all taps of a filter', () => {
  const [x, y] = [specsOf([random([40, 14, 14, 2], 5)]), specsOf([random([40, 2], 6)])];
  const step = compileTrainingStep(images({ filters: 20, padding: 'same' }), 40, x, y);
  expect(countOf('Gemm', step)).toBeGreaterThanOrEqual(2 * 9);
  // Unshared it would be one for each tap and piece: 18.
  expect(countOf('Transpose', step)).toBeLessThan(12);
});

it('cuts no product into so many pieces that a program for many images takes long to load', () => {
  const [x, y] = [specsOf([random([1, 14, 14, 2], 5)]), specsOf([random([1, 2], 6)])];
  const sizeOf = (rows: number) =>
    onnxOf(compileTrainingStep(images({ filters: 20, padding: 'same' }), rows, x, y)).length;
  expect(sizeOf(4000)).toBeLessThan(1.1 * sizeOf(1000));
});

it('adds up 300,007 rows as exactly as a few', async () => {
  const rows = 300_007;
  const model = compiled([tf.layers.dense({ inputShape: [1], units: 2, kernelInitializer: 'ones' })]);
  const [x, y] = [random([rows, 1], 1, 0, 1), random([rows, 2], 2, -1, 0)];
  const program = compileTrainingStep(model, rows, specsOf([x]), specsOf([y]));
  const { logs, gradients } = await runProgram(program, model, { features: [x], targets: [y] });
  const [xs, ys] = [x.dataSync(), y.dataSync()];
  let [loss, kernel, bias] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const errors = [0, 1].map((unit) => (xs[row] as number) - (ys[2 * row + unit] as number)) as [number, number];
    loss += errors.reduce((sum, error) => sum + error ** 2, 0) / 2 / rows;
    kernel += (errors[0] * (xs[row] as number)) / rows;
    bias += errors[0] / rows;
  }
  const actual = [logs[0], gradients.get(0)?.[0], gradients.get(1)?.[0]];
  const worst = [loss, kernel, bias].map((value, i) => Math.abs((actual[i] as number) / value - 1));
  expect(Math.max(...worst), `${worst}`).toBeLessThan(1e-6);
});
