import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StepProgram } from '#shardfit/common/program.js';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectClose, expectEvaluationStep, expectTrainingStep, oneHotRows, random } from './expect-step.js';
import { countOf } from './onnx-of.js';
import { runProgram, specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });

/** Two convolutions, so that the gradient of a convolution's input counts too. */
function twoConvs(options: Partial<Parameters<typeof tf.layers.conv2d>[0]>, channels = 3, filters = 6): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [9, 10, channels],
        filters,
        kernelSize: 2,
        kernelInitializer: seeded(1),
      }),
      tf.layers.conv2d({ filters: 5, kernelSize: 3, activation: 'tanh', kernelInitializer: seeded(2), ...options }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

/** A 3x3 kernel with zeros between its elements: 5x5. */
function spreadOut(kernel: tf.Tensor4D): tf.Tensor4D {
  const [, , inputs, outputs] = kernel.shape;
  const large = tf.buffer([5, 5, inputs, outputs]);
  const values = kernel.bufferSync();
  for (let i = 0; i < kernel.size; i++) {
    const [row, column, c, o] = values.indexToLoc(i) as [number, number, number, number];
    large.set(values.get(row, column, c, o), 2 * row, 2 * column, c, o);
  }
  return large.toTensor() as tf.Tensor4D;
}

describe('conv2d', () => {
  for (const padding of ['valid', 'same'] as const) {
    for (const strides of [1, 2, [1, 3]] as (number | [number, number])[]) {
      it(`has tfjs' gradients with padding ${padding} and strides ${strides}`, async () => {
        await expectTrainingStep(twoConvs({ padding, strides }), [random([3, 9, 10, 3], 5)], [random([3, 4], 6)]);
      });
    }
  }

  it("has tfjs' gradients for kernels of 1x1 and 4x2, and strides larger than the kernel", async () => {
    await expectTrainingStep(twoConvs({ kernelSize: 1 }), [random([2, 9, 10, 3], 5)], [random([2, 4], 6)]);
    await expectTrainingStep(
      twoConvs({ kernelSize: [4, 2], padding: 'same' }),
      [random([2, 9, 10, 3], 5)],
      [random([2, 4], 6)],
    );
    await expectTrainingStep(twoConvs({ kernelSize: 2, strides: 3 }), [random([2, 9, 10, 3], 5)], [random([2, 4], 6)]);
  });

  it('gathers windows alike for few and for many channels', async () => {
    for (const channels of [1, 4, 5]) {
      await expectTrainingStep(twoConvs({}, channels), [random([2, 9, 10, channels], 5)], [random([2, 4], 6)]);
    }
  });

  it("evaluates as tfjs' fused kernel does", async () => {
    await expectEvaluationStep(
      twoConvs({ activation: 'relu', padding: 'same' }),
      [random([3, 9, 10, 3], 5)],
      [random([3, 4], 6)],
    );
  });

  // From 8 channels on, and where sizes nearly stay, ONNX' own convolution takes over: the input's gradient is one too.
  it('has the gradients and values of tfjs by the operator of ONNX, where there are many channels', async () => {
    const wide = (options: Partial<Parameters<typeof tf.layers.conv2d>[0]>) => {
      const model = tf.sequential({
        layers: [
          tf.layers.conv2d({ inputShape: [10, 11, 2], filters: 8, kernelSize: 2, kernelInitializer: seeded(1) }),
          tf.layers.conv2d({ filters: 9, kernelSize: 2, activation: 'relu', kernelInitializer: seeded(2), ...options }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }),
        ],
      });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      return model;
    };
    const [features, targets] = [[random([3, 10, 11, 2], 5)], [random([3, 4], 6)]];
    const planar = (program: StepProgram) => countOf('Conv', program) > 0;
    const same = { padding: 'same' } as const;
    for (const options of [{}, same, { ...same, kernelSize: [3, 4] as [number, number] }, { ...same, strides: 2 }]) {
      expect(planar(compileTrainingStep(wide(options), 3, specsOf(features), specsOf(targets)))).toBe(true);
      await expectTrainingStep(wide(options), features, targets);
      expect(planar(compileEvaluationStep(wide(options), 3, specsOf(features), specsOf(targets)))).toBe(true);
      await expectEvaluationStep(wide(options), features, targets);
    }
  });

  // tfjs refuses gradients of dilated convolutions. A dilated kernel is a larger one with zeros between its elements,
  // whose gradients tfjs does have; the dilated kernel's gradient is every second element of that.
  for (const { padding, filters } of [
    { padding: 'valid', filters: 6 },
    { padding: 'same', filters: 8 },
  ] as const) {
    it(`has the gradients of the equivalent larger kernel when dilated, padding ${padding}, ${filters} channels`, async () => {
      const [features, targets] = [[random([2, 9, 10, 3], 5)], [random([2, 4], 6)]];
      const dilated = twoConvs({ dilationRate: 2, kernelSize: 3, padding, filters }, 3, filters);
      const spread = twoConvs({ kernelSize: 5, padding, filters }, 3, filters);
      const weights = dilated.getWeights();
      const large = spreadOut(weights[2] as tf.Tensor4D);
      spread.setWeights(weights.map((w, i) => (i === 2 ? large : w)));
      const run = (model: tf.Sequential) =>
        runProgram(compileTrainingStep(model, 2, specsOf(features), specsOf(targets)), model, {
          features,
          targets,
        });
      const [actual, expected] = [await run(dilated), await expectTrainingStep(spread, features, targets)];
      const everySecond = tf
        .tensor4d(expected.gradients.get(2) as Float32Array, [5, 5, filters, filters])
        .stridedSlice([0, 0, 0, 0], [5, 5, filters, filters], [2, 2, 1, 1]);
      expectClose(actual.gradients.get(2) as Float32Array, everySecond.dataSync(), 'dilated kernel');
      for (const index of [0, 1, 3, 4, 5]) {
        const other = expected.gradients.get(index) as Float32Array;
        expectClose(actual.gradients.get(index) as Float32Array, other, `weight ${index}`);
      }
      // The registered gradient of tfjs is back: it still refuses.
      expect(() =>
        tf.variableGrads(() => dilated.apply(features[0] as tf.Tensor, { training: true }) as tf.Scalar),
      ).toThrow(/dilation/);
    });
  }

  it('trains the network of the MNIST example like tfjs', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({
          inputShape: [14, 14, 1],
          filters: 6,
          kernelSize: 3,
          activation: 'relu',
          kernelInitializer: seeded(1),
        }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', kernelInitializer: seeded(2) }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 16, activation: 'relu', kernelInitializer: seeded(3) }),
        tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: seeded(4) }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    await expectTrainingStep(model, [random([5, 14, 14, 1], 5)], [oneHotRows(5, 10)]);
  });

  // tfjs' cpu backend runs channelsFirst by transposing to its own layout and back, as the compiler does.
  it('may have its channels first', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({
          inputShape: [2, 8, 8],
          filters: 3,
          kernelSize: 3,
          dataFormat: 'channelsFirst',
          activation: 'relu',
          kernelInitializer: seeded(1),
        }),
        tf.layers.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }),
        tf.layers.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst', kernelInitializer: seeded(2) }),
        tf.layers.averagePooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectTrainingStep(model, [random([3, 2, 8, 8], 5)], [random([3, 4], 6)]);
  });
});
