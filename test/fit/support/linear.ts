/** One weight vector as a network: its output is the weights themselves, so that a loss is any function of them. */
import * as tf from '@tensorflow/tfjs';

export type Loss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor;

/** A model of one input, whose output for x = 1 is `weights`. */
export function vector(weights: number[], loss: Loss, optimizer: tf.Optimizer = tf.train.sgd(0.1)): tf.Sequential {
  const model = tf.sequential({
    layers: [tf.layers.dense({ inputShape: [1], units: weights.length, useBias: false })],
  });
  model.setWeights([tf.tensor2d([weights])]);
  model.compile({ optimizer, loss: loss as (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Scalar });
  return model;
}

/** Loss whose gradient with respect to the weights is the mean of the targets. */
export const targetsAsGradient: Loss = (yTrue, yPred) => tf.sum(tf.mul(yTrue, yPred), -1);

/** `rows` inputs of 1 with the same target each. */
export function repeated(target: number[], rows: number): { x: number[][]; y: number[][] } {
  return { x: Array.from({ length: rows }, () => [1]), y: Array.from({ length: rows }, () => target) };
}
