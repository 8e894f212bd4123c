/** Compares compiled steps with tfjs' own step on the cpu backend. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
import { runProgram, type StepData, type StepResult, specsOf } from './run-program.js';

/**
 * Both sides compute in float32 and add in different orders: 1e-4 of the largest element leaves room for sums over some
 * thousand terms (relative error about sqrt(n) * 6e-8 each) and is far below what any wrong term would change.
 */
const TOLERANCE = 1e-4;

interface OpenModel {
  optimizer_: unknown;
  makeTrainFunction(): (data: tf.Tensor[]) => tf.Scalar[];
}

/** Loss, metrics and gradients by tfjs: the model's own training function with a recording optimizer. */
export function tfjsStep(model: tf.LayersModel, features: tf.Tensor[], targets: tf.Tensor[]): StepResult {
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
      .makeTrainFunction()([...features, ...targets])
      .map((t) => t.dataSync()[0] as number);
    return { logs, gradients, states: new Map() };
  } finally {
    open.optimizer_ = optimizer;
  }
}

/** Largest difference, relative to the largest element of either side. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let scale = 1e-6;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i] as number), Math.abs(actual[i] as number));
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  }
  return worst / scale;
}

export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  tolerance = TOLERANCE,
): void {
  expect(relativeError(actual, expected), what).toBeLessThan(tolerance);
}

/** Asserts that the compiled training step gives tfjs' loss, metrics and every gradient, times the shard weight. */
export async function expectTrainingStep(
  model: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
  options: { gradients?: boolean } = {},
): Promise<StepResult> {
  const shardWeight = 0.375;
  const program = compileTrainingStep(
    model,
    (features[0] as tf.Tensor).shape[0] as number,
    specsOf(features),
    specsOf(targets),
  );
  const data: StepData = { features, targets, shardWeight };
  const actual = await runProgram(program, model, data);
  const expected = tfjsStep(model, features, targets);
  expectClose(
    actual.logs,
    expected.logs.map((x) => x * shardWeight),
    'loss and metrics',
  );
  if (options.gradients === false) return actual;
  expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()].sort((a, b) => a - b));
  for (const [index, gradient] of expected.gradients) {
    const name = (model.weights[index] as unknown as { name: string }).name;
    expectClose(
      actual.gradients.get(index) as Float32Array,
      gradient.map((x) => x * shardWeight),
      `gradient of ${name}`,
    );
  }
  return actual;
}

/** Asserts that the compiled evaluation step gives what tfjs' `evaluate` gives. */
export async function expectEvaluationStep(
  model: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
): Promise<void> {
  const shardWeight = 0.375;
  const rows = (features[0] as tf.Tensor).shape[0] as number;
  const program = compileEvaluationStep(model, rows, specsOf(features), specsOf(targets));
  const { logs } = await runProgram(program, model, { features, targets, shardWeight });
  const scores = model.evaluate(features, targets, { batchSize: rows });
  const expected = (Array.isArray(scores) ? scores : [scores]).map((s) => (s.dataSync()[0] as number) * shardWeight);
  expectClose(logs, expected, 'loss and metrics');
}

/** Deterministic numbers in [-1, 1), or the range given. */
export function random(shape: number[], seed: number, low = -1, high = 1): tf.Tensor {
  return tf.randomUniform(shape, low, high, 'float32', seed);
}

/** One-hot rows. */
export function oneHotRows(rows: number, classes: number): tf.Tensor {
  return tf.tensor2d(
    Array.from({ length: rows }, (_, i) => Array.from({ length: classes }, (_, j) => Number((i * 7) % classes === j))),
  );
}
