/** Compares compiled steps with tfjs' own step on the cpu backend. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
import { runProgram, type StepData, type StepResult, specsOf } from './run-program.js';
import { relativeError, tfjsStep } from './tfjs-step.js';

/**
 * Both sides compute in float32 and add in different orders: 1e-4 of the largest element leaves room for sums over some
 * thousand terms (relative error about sqrt(n) * 6e-8 each) and is far below what any wrong term would change.
 */
const TOLERANCE = 1e-4;

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
