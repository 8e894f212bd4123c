/** What tfjs itself computes in a training step, and how far two results are apart. */
import * as tf from '@tensorflow/tfjs';
import type { StepResult } from './run-program.js';

interface OpenModel {
  optimizer_: unknown;
  makeTrainFunction(): (data: tf.Tensor[]) => tf.Scalar[];
}

/** Loss, metrics and gradients by tfjs: the model's own training function with a recording optimizer. */
export function tfjsStep(
  model: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
  sampleWeights: tf.Tensor[] = [],
): StepResult {
  const outer = model as unknown as OpenModel & { model?: OpenModel };
  const open = outer.model ?? outer;
  const optimizer = open.optimizer_;
  const gradients = new Map<number, Float32Array>();
  const names = model.weights.map((weight) => (weight as unknown as { val: tf.Variable }).val.name);
  const minimize = (f: () => tf.Scalar, _: boolean, variables: tf.Variable[]): tf.Scalar => {
    const { value, grads } = tf.variableGrads(f, variables);
    for (const [name, g] of Object.entries(grads))
      if (g) gradients.set(names.indexOf(name), g.dataSync() as Float32Array);
    return value;
  };
  open.optimizer_ = { minimize };
  try {
    const logs = open
      .makeTrainFunction()([...features, ...targets, ...sampleWeights])
      .map((t) => t.dataSync()[0] as number);
    return { logs, gradients, states: new Map() };
  } finally {
    open.optimizer_ = optimizer;
  }
}

/** Largest difference, relative to the largest element of either side. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length)
    throw new RangeError(`expected ${expected.length} numbers, got ${actual.length}`);
  let scale = 1e-6;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i] as number), Math.abs(actual[i] as number));
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  }
  return worst / scale;
}
