import * as tf from '@tensorflow/tfjs';
import { classification, uniform, workload } from './workload.js';

/** A dense classifier `sizes[0]-...-sizes.at(-1)` with ReLU and softmax. */
export function mlp(sizes: [number, ...number[]]) {
  const classes = sizes.at(-1) as number;
  return workload({
    name: sizes.join('-'),
    layers: () => dense(sizes, 'softmax'),
    data: (rows) => classification(rows, [sizes[0]], classes),
  });
}

/** The network of the question behind this library: 10 inputs, 20 hidden units, one number; squared error. */
export const question = workload({
  name: '10-20-1',
  loss: 'meanSquaredError',
  momentum: 0.1,
  layers: () => dense([10, 20, 1], 'linear'),
  data: (rows) => ({
    x: tf.randomNormal([rows, 10], 0, 1, 'float32', 1),
    y: tf.randomNormal([rows, 1], 0, 1, 'float32', 2),
  }),
});

function dense(sizes: [number, ...number[]], activation: 'softmax' | 'linear'): tf.Sequential {
  const layers = sizes.slice(1).map((units, i) =>
    tf.layers.dense({
      name: `dense${i + 1}`,
      units,
      activation: i === sizes.length - 2 ? activation : 'relu',
      kernelInitializer: uniform(i + 1),
      ...(i === 0 && { inputShape: [sizes[0]] }),
    }),
  );
  return tf.sequential({ layers });
}
