import * as tf from '@tensorflow/tfjs';
import { batchCount, batchRange } from '../../common/shards.js';

/**
 * How far the gradients of mini-batches are scattered around the gradient of all rows: the root of their mean squared
 * distance from it (each mini-batch counted by its rows), as a share of its length. 0 if one mini-batch is all rows. The
 * weights stay as they are.
 *
 * @param x [rows, ...]; mini-batches are cut from the rows in their order.
 * @param y [rows, 1]
 */
export function gradientNoise(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor, batchSize: number): number {
  const rows = x.shape[0] as number;
  const full = gradientOf(model, x, y);
  let squares = 0;
  for (let step = 0; step < batchCount(rows, batchSize); step++) {
    const { start, count } = batchRange(rows, batchSize, step);
    const part = (tensor: tf.Tensor) => tensor.slice([start], [count]);
    const gradient = tf.tidy(() => gradientOf(model, part(x), part(y)));
    squares += (count / rows) * squaredDistance(gradient, full);
  }
  return Math.sqrt(squares) / Math.sqrt(squaredDistance(full, new Float32Array(full.length)));
}

/** Gradient of the mean squared error with respect to all weights, one behind the other. */
function gradientOf(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor): Float32Array {
  return tf.tidy(() => {
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const loss = () => tf.losses.meanSquaredError(y, model.apply(x, { training: true }) as tf.Tensor) as tf.Scalar;
    const { grads } = tf.variableGrads(loss, weights);
    const parts = weights.map(({ name }) => (grads[name] as tf.Tensor).flatten());
    return tf.concat(parts).dataSync() as Float32Array;
  });
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
}
