// A functional model with two inputs and two outputs, each with a loss of its own: node examples/two-inputs-two-outputs.mjs
//
// From the sides of a box and a colour: its volume (a number) and whether it is a large red one (a class).

import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';

const COLOURS = 3;

export function build() {
  const dense = (units, activation, seed, name) =>
    tf.layers.dense({ units, activation, name, kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const sides = tf.input({ shape: [3], name: 'sides' });
  const colour = tf.input({ shape: [COLOURS], name: 'colour' });
  const size = dense(24, 'relu', 1).apply(sides);
  const both = tf.layers.concatenate().apply([size, dense(4, 'relu', 2).apply(colour)]);
  const volume = dense(1, 'linear', 3, 'volume').apply(size);
  const chosen = dense(1, 'sigmoid', 4, 'chosen').apply(dense(16, 'relu', 5).apply(both));
  const model = tf.model({ inputs: [sides, colour], outputs: [volume, chosen] });
  model.compile({
    optimizer: tf.train.momentum(0.05, 0.9),
    loss: { volume: 'meanSquaredError', chosen: 'binaryCrossentropy' },
    metrics: { chosen: 'accuracy' },
  });
  return model;
}

export function data(rows) {
  return tf.tidy(() => {
    const sides = tf.randomUniform([rows, 3], 0, 1, 'float32', 1);
    const colour = tf.oneHot(tf.randomUniform([rows], 0, COLOURS, 'int32', 2), COLOURS).toFloat();
    const volume = tf.prod(sides, 1, true);
    const red = colour.slice([0, 0], [rows, 1]);
    const chosen = tf.mul(red, tf.greater(tf.sum(sides, 1, true), 1.5).toFloat());
    return { x: { sides, colour }, y: { volume, chosen } };
  });
}

if (process.argv[1] === import.meta.filename) {
  const model = build();
  const { x, y } = data(2000);
  const { history } = await fit(model, x, y, { seed: 1, batchSize: 40, epochs: 15, validationSplit: 0.2 });
  for (const name of Object.keys(history)) console.log(`${name.padEnd(16)} ${history[name].at(-1).toFixed(4)}`);
}
