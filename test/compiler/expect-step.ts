/** Compares compiled steps with tfjs' own step on the cpu backend. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { StepProgram } from '#shardfit/common/program.js';
import { piece, type Range } from '#shardfit/common/shards.js';
import { type CompilerOptions, StepCompiler, traceEvaluation, traceTraining } from '#shardfit/compiler/index.js';
import { runShards, type StepData, type StepResult, specsOf } from './run-program.js';
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

/**
 * Asserts that the compiled training step gives tfjs' loss, metrics and every gradient, and that the programs of two shards
 * add up to them, with loops and without.
 */
export async function expectTrainingStep(
  model: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
  options: { gradients?: boolean } = {},
): Promise<StepResult> {
  const compiler = compilerOf(traceTraining, model, features, targets);
  const whole = await runShards(...shards(compiler, model, features, targets, 1));
  const cut = await runShards(...shards(compiler, model, features, targets, 2));
  const withLoops = compilerOf(traceTraining, model, features, targets, { loops: 'all' });
  const wholeByLoops = await runShards(...shards(withLoops, model, features, targets, 1));
  const cutByLoops = await runShards(...shards(withLoops, model, features, targets, 2));
  // Last: this moves the averages of batch norm.
  const expected = tfjsStep(model, features, targets);
  for (const [actual, how] of [
    [whole, ''],
    [cut, ', from two shards'],
    [wholeByLoops, ', with loops'],
    [cutByLoops, ', with loops, from two shards'],
  ] as const) {
    expectClose(actual.logs, expected.logs, `loss and metrics${how}`);
    for (const [index, state] of whole.states)
      expectClose(actual.states.get(index) ?? [], state, `state ${index}${how}`);
    if (options.gradients === false) continue;
    expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()].sort((a, b) => a - b));
    for (const [index, gradient] of expected.gradients) {
      const name = (model.weights[index] as unknown as { name: string }).name;
      expectClose(actual.gradients.get(index) as Float32Array, gradient, `gradient of ${name}${how}`);
    }
  }
  return whole;
}

function compilerOf(
  trace: typeof traceTraining,
  model: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
  options: CompilerOptions = {},
) {
  const data = { features: specsOf(features), targets: specsOf(targets), sampleWeights: [] };
  return new StepCompiler(trace, model, data, options);
}

/** The programs and rows of a mini-batch cut into `count` shards. */
export function shards(
  compiler: StepCompiler,
  model: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
  count: number,
): [StepProgram[], tf.LayersModel, StepData[]] {
  const batchRows = (features[0] as tf.Tensor).shape[0] as number;
  const pieces = Array.from({ length: count }, (_, i) => piece(batchRows, count, i)).filter((p) => p.count > 0);
  const rowsOf = (tensors: tf.Tensor[], { start, count: rows }: Range) => tensors.map((t) => t.slice([start], [rows]));
  return [
    pieces.map(({ count: rows }) => compiler.compile(rows, { batchRows })),
    model,
    pieces.map((range) => ({ features: rowsOf(features, range), targets: rowsOf(targets, range) })),
  ];
}

/** Asserts that the compiled evaluation step gives what tfjs' `evaluate` gives, whole and from two shards. */
export async function expectEvaluationStep(
  model: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
): Promise<void> {
  const batchSize = (features[0] as tf.Tensor).shape[0] as number;
  const compiler = compilerOf(traceEvaluation, model, features, targets);
  const scores = model.evaluate(features, targets, { batchSize });
  const expected = (Array.isArray(scores) ? scores : [scores]).map((s) => s.dataSync()[0] as number);
  const withLoops = compilerOf(traceEvaluation, model, features, targets, { loops: 'all' });
  for (const count of [1, 2]) {
    for (const by of [compiler, withLoops]) {
      const { logs } = await runShards(...shards(by, model, features, targets, count));
      expectClose(logs, expected, `loss and metrics from ${count} shards`);
    }
  }
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
