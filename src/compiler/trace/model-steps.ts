/** The model's own training and evaluation functions, called for one batch without an update. */
import * as tf from '@tensorflow/tfjs';
import type { OpenModel } from './engine.js';
import { swapMethod } from './layers.js';

/** One batch as tensors. */
export interface BatchTensors {
  rows: number;
  /** Inputs of the model, then targets. */
  data: tf.Tensor[];
  /** By output: shape [rows], or undefined where all rows count alike in the loss. */
  sampleWeights: readonly (tf.Tensor | undefined)[];
}

type LossFunction = (target: tf.Tensor, output: tf.Tensor) => tf.Tensor;

/**
 * Computes loss, metrics and gradients as `model.fit` does for a batch.
 *
 * @param onGradients is given the gradients by the names of the variables, when the step has been differentiated.
 * @returns the loss and the metrics. The caller disposes of them: tfjs keeps metrics beyond a `tf.tidy`.
 */
export function runTraining(
  model: OpenModel,
  batch: BatchTensors,
  onGradients: (gradients: tf.NamedTensorMap) => void,
): tf.Scalar[] {
  // The optimizer's place is taken by a recorder: it differentiates but updates nothing.
  const minimize = (f: () => tf.Scalar, _returnCost: boolean, variables: tf.Variable[]): tf.Scalar => {
    const { value, grads } = tf.variableGrads(f, variables);
    onGradients(grads);
    return value;
  };
  const swaps = [swapMethod(model, 'optimizer_', { minimize }), weightLosses(model, batch)];
  try {
    return model.makeTrainFunction()(batch.data);
  } finally {
    for (const swap of swaps) swap.restore();
  }
}

/** Computes loss and metrics as `model.evaluate` does for a batch. */
export function runEvaluation(model: OpenModel, batch: BatchTensors): tf.Scalar[] {
  const swaps = [swapMethod(model, 'testFunction', undefined), weightLosses(model, batch)];
  try {
    model.makeTestFunction();
    const values = (model.testFunction as unknown as (data: tf.Tensor[]) => tf.Scalar[])(batch.data);
    // With several outputs tfjs lists running totals of the loss first; the last of them is the loss.
    return values.slice(model.outputs.length - 1);
  } finally {
    for (const swap of swaps) swap.restore();
  }
}

/**
 * Weights the rows in the losses of the model. tfjs' own way multiplies [rows] with the loss as it is: of sequences,
 * whose losses are [rows, steps], it would weight the steps. In evaluation it knows no weights at all.
 */
function weightLosses(model: OpenModel, { rows, sampleWeights }: BatchTensors): { restore(): void } {
  const weighted = (model.lossFunctions as LossFunction[]).map((loss, i) => {
    const weights = sampleWeights[i];
    if (!weights) return loss;
    return (target: tf.Tensor, output: tf.Tensor): tf.Tensor => {
      const value = loss(target, output);
      const isPerRow = value.rank > 1 && value.shape[0] === rows;
      return tf.mul(value, isPerRow ? tf.reshape(weights, [rows, ...value.shape.slice(1).fill(1)]) : weights);
    };
  });
  return swapMethod(model, 'lossFunctions', weighted);
}
