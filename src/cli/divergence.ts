import type * as tf from '@tensorflow/tfjs';
import type { Logs } from './report/report.js';

/**
 * Where a training has left the finite numbers, for a message: `the loss is NaN`. Undefined if it has not.
 *
 * @param logs of the last whole epoch, if there was one. They tell how it stood before its last updates: the weights count too.
 */
export function divergence(model: tf.LayersModel, logs: Logs | undefined): string | undefined {
  for (const [name, value] of Object.entries(logs ?? {})) {
    if (!Number.isFinite(value)) return `the ${name} is ${value}`;
  }
  for (const { name, value } of namedWeights(model)) {
    const bad = value.dataSync().find((number) => !Number.isFinite(number));
    if (bad !== undefined) return `the weights ${name} hold ${bad}`;
  }
  return undefined;
}

function namedWeights(model: tf.LayersModel): { name: string; value: tf.Tensor }[] {
  return model.weights.map((weight) => ({ name: weight.originalName, value: weight.read() }));
}
