import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { multiplicationsOf } from '#shardfit/saved-model/multiplications.js';

const { layers } = tf;

test.each<[string, () => tf.LayersModel, number]>([
  [
    'dense layers, with their biases',
    () => tf.sequential({ layers: [layers.dense({ units: 20, inputShape: [10] }), layers.dense({ units: 1 })] }),
    220 + 21,
  ],
  [
    'a convolution, at every pixel of its output',
    () =>
      tf.sequential({
        layers: [layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', inputShape: [8, 6, 1] })],
      }),
    40 * 4 * 3,
  ],
  [
    'a recurrent layer, at every step of its input',
    () => tf.sequential({ layers: [layers.simpleRNN({ units: 3, inputShape: [7, 2] })] }),
    7 * (2 * 3 + 3 * 3 + 3),
  ],
  [
    'an embedding, which multiplies nothing',
    () => tf.sequential({ layers: [layers.embedding({ inputDim: 1000, outputDim: 8, inputLength: 5 })] }),
    0,
  ],
  [
    'a layer that is used twice, and one that is a model',
    () => {
      const shared = layers.dense({ units: 5 });
      const inner = tf.sequential({ layers: [layers.dense({ units: 2, inputShape: [5] })] });
      const inputs = [tf.input({ shape: [3] }), tf.input({ shape: [3] })];
      const outputs = inputs.map((input) => shared.apply(input)) as tf.SymbolicTensor[];
      const sum = layers.add().apply(outputs) as tf.SymbolicTensor;
      return tf.model({ inputs, outputs: inner.apply(sum) as tf.SymbolicTensor });
    },
    2 * 20 + 12,
  ],
])('counts %s', (_, build, expected) => {
  expect(multiplicationsOf(build())).toBe(expected);
});
