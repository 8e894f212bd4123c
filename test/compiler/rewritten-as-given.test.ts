/** Shapes that look like what the rewritings of batch norm and of blocks of channels are for, and are not. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { expectTrainingStep, random } from './expect-step.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });

/** A layer of tfjs operations that keeps the shape. */
class Operation extends tf.layers.Layer {
  static className = 'Operation';

  constructor(readonly operation: (x: tf.Tensor) => tf.Tensor) {
    super({});
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.operation(Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs));
  }
}

const apply = (x: tf.SymbolicTensor, operation: (x: tf.Tensor) => tf.Tensor) =>
  new Operation(operation).apply(x) as tf.SymbolicTensor;

function conv(x: tf.SymbolicTensor, filters: number, seed: number, kernelSize = 3): tf.SymbolicTensor {
  const options = { filters, kernelSize, padding: 'same', useBias: false, kernelInitializer: seeded(seed) } as const;
  return tf.layers.conv2d(options).apply(x) as tf.SymbolicTensor;
}

/** With two outputs at its end. */
function ended(input: tf.SymbolicTensor, x: tf.SymbolicTensor): tf.LayersModel {
  const { dense, flatten, globalAveragePooling2d } = tf.layers;
  const flat = x.shape.length === 4 ? globalAveragePooling2d({ dataFormat: 'channelsLast' }) : flatten();
  const outputs = dense({ units: 2, kernelInitializer: seeded(9) }).apply(flat.apply(x)) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

it.each([
  ['of each column of pixels', [1, 8]],
  ['of each image', [8, 8]],
] as const)('gates %s, made by a convolution, meet images as in tfjs', async (_, poolSize) => {
  const input = tf.input({ shape: [8, 8, 3] });
  const x = conv(conv(input, 32, 1), 32, 2);
  const pooled = tf.layers.averagePooling2d({ poolSize: [...poolSize], strides: [...poolSize] }).apply(x);
  const gate = tf.layers.activation({ activation: 'sigmoid' }).apply(conv(pooled as tf.SymbolicTensor, 32, 3));
  const model = ended(input, tf.layers.multiply().apply([x, gate as tf.SymbolicTensor]) as tf.SymbolicTensor);
  await expectTrainingStep(model, [random([4, 8, 8, 3], 1)], [random([4, 2], 2)]);
});

it.each([16, 32])('scales of %i channels meet shifts of each row of pixels as in tfjs', async (channels) => {
  const input = tf.input({ shape: [16, 22, 16] });
  const [scale, shift] = [random([channels], 3), random([16, 1, channels], 4)];
  const x = apply(conv(input, channels, 1), (y) => tf.relu(tf.add(tf.mul(y, scale), shift)));
  await expectTrainingStep(ended(input, x), [random([3, 16, 22, 16], 1)], [random([3, 2], 2)]);
});

it('images of a prime number of pixels, of which some come from no convolution, are as in tfjs', async () => {
  const input = tf.input({ shape: [11, 13, 3] });
  const x = conv(conv(input, 32, 1), 32, 2);
  // A product of all pixels with a matrix.
  const skip = conv(input, 32, 3, 1);
  const sum = tf.layers.add().apply([x, skip]) as tf.SymbolicTensor;
  const normalized = tf.layers.batchNormalization({}).apply(sum) as tf.SymbolicTensor;
  const model = ended(input, conv(tf.layers.reLU().apply(normalized) as tf.SymbolicTensor, 16, 4));
  await expectTrainingStep(model, [random([5, 11, 13, 3], 1)], [random([5, 2], 2)]);
});

it('a mean that is subtracted along another axis is none of a variance', async () => {
  const input = tf.input({ shape: [4, 4] });
  const x = apply(input, (y) => {
    const deviations = tf.sub(y, tf.reshape(tf.mean(y, [0, 1]), [4, 1]));
    const variance = tf.mean(tf.square(deviations), [0, 1]);
    return tf.add(y, tf.div(deviations, tf.sqrt(tf.add(variance, 0.1))));
  });
  await expectTrainingStep(ended(input, x), [random([8, 4, 4], 1)], [random([8, 2], 2)]);
});

it('deviations that meet as many numbers in another shape, or one another, are as in tfjs', async () => {
  const input = tf.input({ shape: [5, 1] });
  const x = apply(input, (y) => {
    const deviations = tf.sub(y, tf.mean(y, [0, 1], true));
    const variance = tf.mean(tf.square(deviations), [0, 1], true);
    const outer = tf.sum(tf.mul(deviations, tf.transpose(tf.tanh(y), [0, 2, 1])), [0, 1], true);
    const both = tf.add(deviations, tf.sub(y, tf.mean(y, 0, true)));
    return tf.add(tf.div(tf.add(deviations, both), tf.sqrt(tf.add(variance, 0.1))), tf.mean(outer));
  });
  const rows = tf.concat([random([4, 5, 1], 1), tf.add(random([4, 5, 1], 3), 2)]);
  await expectTrainingStep(ended(input, x), [rows], [random([8, 2], 2)]);
});

it('a bias over many pixels is added up as exactly as over few', async () => {
  const { gradients } = await expectTrainingStep(
    (() => {
      const input = tf.input({ shape: [64, 64, 3] });
      const x = conv(input, 32, 1);
      const biased = tf.layers
        .conv2d({ filters: 32, kernelSize: 3, padding: 'same', kernelInitializer: seeded(2) })
        .apply(x);
      return ended(input, tf.layers.activation({ activation: 'tanh' }).apply(biased) as tf.SymbolicTensor);
    })(),
    [random([2, 64, 64, 3], 1)],
    [random([2, 2], 2)],
  );
  expect(gradients.size).toBe(5);
});
