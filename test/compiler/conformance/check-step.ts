/** How far the compiled training and evaluation steps are from what tfjs computes. */
import * as tf from '@tensorflow/tfjs';
import type { ProgramInput } from '#shardfit/common/program.js';
import { compileEvaluationStep, StepCompiler, traceTraining } from '#shardfit/compiler/index.js';
import { openModel } from '#shardfit/compiler/trace/engine.js';
import { runProgram, runShards, type StepResult, specsOf } from '../run-program.js';
import { relativeError, tfjsStep } from '../tfjs-step.js';
import { Draws, drawUniform } from './draws.js';
import { type LayerCase, targetsOf } from './layer-case.js';

const ROWS = 3;

/** The largest relative difference over loss, every gradient and every new state, from all rows at once and from two shards, with loops and without. */
export async function checkStep(layerCase: LayerCase): Promise<number> {
  const model = layerCase.build();
  const [features, targets] = [layerCase.features(ROWS), targetsOf(model, ROWS)];
  const before = weightValues(model);
  const specs = [specsOf(features), specsOf(targets)] as const;
  const data = { features: specs[0], targets: specs[1], sampleWeights: [] };
  const plain = new StepCompiler(traceTraining, model, data);
  const withLoops = new StepCompiler(traceTraining, model, data, { loops: 'all' });
  const shards = (compiler: StepCompiler, cuts: [from: number, rows: number][]) =>
    runShards(
      cuts.map(([, rows]) => compiler.compile(rows, { batchRows: ROWS })),
      model,
      cuts.map(([from, rows]) => ({
        features: features.map((t) => tf.slice(t, [from], [rows])),
        targets: targets.map((t) => tf.slice(t, [from], [rows])),
        uniforms: uniformsOf(from),
      })),
    );
  const results: StepResult[] = [];
  for (const compiler of [plain, withLoops]) {
    results.push(await shards(compiler, [[0, ROWS]]));
    const cut: [number, number][] = [
      [0, 2],
      [2, 1],
    ];
    results.push(await shards(compiler, cut));
  }
  const reference = layerCase.equivalent?.build() ?? model;
  const draws = new Draws().install(reference, ROWS);
  let expected: StepResult;
  try {
    expected = layerCase.numerical
      ? numericalStep(reference, features, targets, layerCase.distance ?? 0.1)
      : tfjsStep(reference, features, targets);
  } finally {
    draws.restore();
  }
  // tfjs' own step leaves its new averages in the model.
  const states = weightValues(reference);
  reference.setWeights(before);
  model.setWeights(before);
  const errors = [
    await evaluationError(model, reference, features, targets),
    ...results.flatMap((result) => [
      relativeError(result.logs, expected.logs),
      ...gradientErrors(result, expected),
      ...[...result.states].map(([index, state]) => relativeError(state, (states[index] as tf.Tensor).dataSync())),
    ]),
  ];
  return Math.max(...errors);
}

/** The numbers of a shard are those that its rows have in the mini-batch. */
function uniformsOf(firstRow: number): (input: ProgramInput) => Float32Array {
  return ({ shape, role }) => {
    if (role.kind !== 'uniform') throw new Error('only uniform inputs are drawn');
    if (!role.perRow) return drawUniform(shape, false, role.stream, 0);
    const [rows = 1, ...rest] = shape;
    const whole = drawUniform([firstRow + rows, ...rest], true, role.stream, 0);
    return whole.slice((firstRow * whole.length) / (firstRow + rows));
  };
}

function weightValues(model: tf.LayersModel): tf.Tensor[] {
  return model.weights.map((weight) => (weight as unknown as { read(): tf.Tensor }).read().clone());
}

/** Each gradient against its reference; of one that is missing the error is infinite. */
function gradientErrors(actual: StepResult, expected: StepResult): number[] {
  const indices = new Set([...actual.gradients.keys(), ...expected.gradients.keys()]);
  return [...indices].map((index) => {
    const [a, b] = [actual.gradients.get(index), expected.gradients.get(index)];
    return a && b ? relativeError(a, b) : Number.POSITIVE_INFINITY;
  });
}

async function evaluationError(
  model: tf.LayersModel,
  reference: tf.LayersModel,
  features: tf.Tensor[],
  targets: tf.Tensor[],
): Promise<number> {
  const program = compileEvaluationStep(model, ROWS, specsOf(features), specsOf(targets));
  const { logs } = await runProgram(program, model, { features, targets });
  return relativeError(logs, [lossOf(reference, features, targets)]);
}

function lossOf(model: tf.LayersModel, features: tf.Tensor[], targets: tf.Tensor[]): number {
  const loss = model.evaluate(features, targets, { batchSize: ROWS }) as tf.Scalar;
  return loss.dataSync()[0] as number;
}

/** tfjs' loss in training, with regularizers. */
function trainingLoss(model: tf.LayersModel, features: tf.Tensor[], targets: tf.Tensor[]): number {
  const open = openModel(model);
  const optimizer = open.optimizer_;
  open.optimizer_ = { minimize: (f: () => tf.Scalar) => f() };
  try {
    return tf.tidy(() => (open.makeTrainFunction()([...features, ...targets])[0] as tf.Scalar).dataSync()[0] as number);
  } finally {
    open.optimizer_ = optimizer;
  }
}

/** Derivatives of tfjs' own loss by differences over five points, whose error is of fourth order in the distance. */
function numericalStep(model: tf.LayersModel, features: tf.Tensor[], targets: tf.Tensor[], h: number): StepResult {
  const weights = weightValues(model);
  const gradients = new Map<number, Float32Array>();
  model.weights.forEach((weight, index) => {
    if (!weight.trainable) return;
    const variable = (weight as unknown as { val: tf.Variable }).val;
    const original = weights[index] as tf.Tensor;
    const values = original.dataSync();
    const lossAt = (k: number, delta: number): number => {
      const moved = values.slice();
      moved[k] = (moved[k] as number) + delta;
      variable.assign(tf.tensor(moved, original.shape));
      return trainingLoss(model, features, targets);
    };
    const derivative = (k: number): number =>
      (8 * (lossAt(k, h) - lossAt(k, -h)) - (lossAt(k, 2 * h) - lossAt(k, -2 * h))) / (12 * h);
    gradients.set(
      index,
      Float32Array.from(values, (_, k) => derivative(k)),
    );
    variable.assign(original);
  });
  // Every evaluation moved the averages of batch normalizations.
  model.setWeights(weights);
  return { logs: [trainingLoss(model, features, targets)], gradients, states: new Map() };
}
