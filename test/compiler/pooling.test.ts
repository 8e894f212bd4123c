import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectClose, expectTrainingStep, random } from './expect-step.js';
import { countOf } from './onnx-of.js';
import { runProgram, type StepResult, specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });

/** A pooling between a convolution and a dense layer. */
function pooled(pooling: tf.layers.Layer, activation: 'relu' | 'tanh' | undefined = 'relu'): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [9, 10, 2],
        filters: 3,
        kernelSize: 2,
        ...(activation && { activation }),
        kernelInitializer: seeded(1),
      }),
      pooling,
      tf.layers.flatten(),
      tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

const VARIANTS = [
  { poolSize: 2 },
  { poolSize: 3 },
  { poolSize: [2, 3], strides: [2, 3] },
  { poolSize: 2, strides: 3 },
  { poolSize: 3, strides: 2 },
  { poolSize: 3, strides: 1, padding: 'same' },
  { poolSize: 2, strides: 2, padding: 'same' },
  { poolSize: 3, strides: 2, padding: 'same' },
] as const;

const data = (rows = 3): [tf.Tensor[], tf.Tensor[]] => [[random([rows, 9, 10, 2], 5)], [random([rows, 4], 6)]];

describe('maxPooling2d', () => {
  for (const variant of VARIANTS) {
    it(`has tfjs' gradients with ${JSON.stringify(variant)}`, async () => {
      for (const activation of ['relu', 'tanh', undefined] as const) {
        await expectTrainingStep(pooled(tf.layers.maxPooling2d({ ...variant } as never), activation), ...data());
      }
    });
  }

  // Integer inputs and weights make windows full of equal maxima, with which every choice but the first is visible.
  for (const variant of VARIANTS) {
    it(`sends the gradient of equal maxima where tfjs does with ${JSON.stringify(variant)}`, async () => {
      const model = pooled(tf.layers.maxPooling2d({ ...variant } as never));
      const integers = (shape: number[], seed: number) => random(shape, seed, -1.49, 1.49).round();
      model.setWeights(model.getWeights().map((w, i) => integers(w.shape, 20 + i)));
      await expectTrainingStep(model, [integers([3, 9, 10, 2], 5)], [random([3, 4], 6)]);
    });
  }

  it('works on the input itself and twice in a row', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.maxPooling2d({ inputShape: [9, 10, 2], poolSize: 2, strides: 1 }),
        tf.layers.conv2d({ filters: 3, kernelSize: 1, kernelInitializer: seeded(1) }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectTrainingStep(model, ...data());
  });
});

describe('a convolution that is pooled and used whole', () => {
  it('is computed once and has the gradients of both uses', async () => {
    const input = tf.input({ shape: [9, 10, 2] });
    const conv = tf.layers.conv2d({ filters: 3, kernelSize: 2, activation: 'relu', kernelInitializer: seeded(1) });
    const y = conv.apply(input) as tf.SymbolicTensor;
    const pooled = tf.layers.flatten().apply(tf.layers.maxPooling2d({ poolSize: 2 }).apply(y)) as tf.SymbolicTensor;
    const whole = tf.layers.flatten().apply(y) as tf.SymbolicTensor;
    const both = tf.layers.concatenate().apply([pooled, whole]);
    const output = tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }).apply(both) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: output });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const [features, targets] = data();
    await expectTrainingStep(model, features, targets);
    // One product forward and one for the filter's gradient; the dense layer has three.
    const program = compileTrainingStep(model, 3, specsOf(features), specsOf(targets));
    expect(countOf('(Fused)?Gemm', program)).toBe(5);
  });
});

/** Derivative of the first log with respect to each element of a weight, by central differences of tfjs' own loss. */
function numericalGradient(
  model: tf.Sequential,
  weight: number,
  features: tf.Tensor,
  targets: tf.Tensor,
): Float32Array {
  const h = 1e-2;
  const weights = model.getWeights().map((w) => w.clone());
  const values = (weights[weight] as tf.Tensor).dataSync().slice();
  const lossAt = (k: number, delta: number): number => {
    const moved = values.slice();
    moved[k] = (moved[k] as number) + delta;
    model.setWeights(weights.map((w, i) => (i === weight ? tf.tensor(moved, w.shape) : w)));
    return (
      model.evaluate(features, targets, { batchSize: features.shape[0] as number }) as tf.Scalar
    ).dataSync()[0] as number;
  };
  const gradient = Float32Array.from(values, (_, k) => (lossAt(k, h) - lossAt(k, -h)) / (2 * h));
  model.setWeights(weights);
  return gradient;
}

describe('averagePooling2d', () => {
  for (const variant of VARIANTS) {
    const isPadded = 'padding' in variant;
    it(`has the right gradients with ${JSON.stringify(variant)}`, async () => {
      const model = pooled(tf.layers.averagePooling2d({ ...variant } as never), 'tanh');
      const [features, targets] = data();
      if (!isPadded) {
        await expectTrainingStep(model, features, targets);
        return;
      }
      // With padding 'same' tfjs divides by the window's full size on the way back, though only by the real elements on
      // the way forward. The derivative of its forward pass is the reference: the loss is quadratic in a tanh of the
      // weights, so central differences with h = 0.01 are good to about 1e-3.
      const program = compileTrainingStep(model, 3, specsOf(features), specsOf(targets));
      const actual: StepResult = await runProgram(program, model, { features, targets });
      for (const index of [0, 1]) {
        const numerical = numericalGradient(model, index, features[0] as tf.Tensor, targets[0] as tf.Tensor);
        expectClose(actual.gradients.get(index) as Float32Array, numerical, `weight ${index}`, 2e-3);
      }
      const loss = (model.evaluate(features, targets) as tf.Scalar).dataSync()[0] as number;
      expect(actual.logs[0]).toBeCloseTo(loss, 5);
    });
  }
});

describe('global pooling', () => {
  for (const kind of ['globalAveragePooling2d', 'globalMaxPooling2d'] as const) {
    it(`has tfjs' gradients for ${kind}`, async () => {
      const model = tf.sequential({
        layers: [
          tf.layers.conv2d({
            inputShape: [9, 10, 2],
            filters: 3,
            kernelSize: 2,
            activation: 'relu',
            kernelInitializer: seeded(1),
          }),
          tf.layers[kind]({}),
          tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }),
        ],
      });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      await expectTrainingStep(model, ...data());
    });
  }
});
