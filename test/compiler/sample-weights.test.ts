import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectClose, random } from './expect-step.js';
import { runProgram, type StepResult, specsOf } from './run-program.js';
import { tfjsStep } from './tfjs-step.js';

beforeAll(() => tf.setBackend('cpu'));

const ROWS = 6;
const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });
const weightsOf = (seed: number) => random([ROWS], seed, 0, 3);

function dense(outputs: number[]): tf.LayersModel {
  const input = tf.input({ shape: [5] });
  const heads = outputs.map(
    (units, i) => tf.layers.dense({ units, kernelInitializer: seeded(i + 1) }).apply(input) as tf.SymbolicTensor,
  );
  const model = tf.model({ inputs: input, outputs: heads });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mae'] });
  return model;
}

function expectSame(actual: StepResult, expected: StepResult): void {
  expectClose(actual.logs, expected.logs, 'loss and metrics');
  expect([...actual.gradients.keys()].sort()).toEqual([...expected.gradients.keys()].sort());
  for (const [index, gradient] of expected.gradients) {
    expectClose(actual.gradients.get(index) as Float32Array, gradient, `weight ${index}`);
  }
}

describe('sample weights', () => {
  it("multiply the loss of each row, as in tfjs' training function", async () => {
    const model = dense([3]);
    const [features, targets, sampleWeights] = [[random([ROWS, 5], 1)], [random([ROWS, 3], 2)], [weightsOf(3)]];
    const program = compileTrainingStep(model, ROWS, specsOf(features), specsOf(targets), [true]);
    const input = program.inputs.find(({ role }) => role.kind === 'sampleWeight');
    expect(input).toMatchObject({ shape: [ROWS], dtype: 'float32', role: { kind: 'sampleWeight', index: 0 } });
    const actual = await runProgram(program, model, { features, targets, sampleWeights });
    expectSame(actual, tfjsStep(model, features, targets, sampleWeights));
  });

  it('may be given for some of the outputs', async () => {
    const model = dense([3, 2]);
    const features = [random([ROWS, 5], 1)];
    const targets = [random([ROWS, 3], 2), random([ROWS, 2], 4)];
    const sampleWeights = [tf.ones([ROWS]), weightsOf(3)];
    const program = compileTrainingStep(model, ROWS, specsOf(features), specsOf(targets), [false, true]);
    const actual = await runProgram(program, model, { features, targets, sampleWeights });
    expectSame(actual, tfjsStep(model, features, targets, sampleWeights));
  });

  it('count in evaluation too', async () => {
    const model = dense([3]);
    const [features, targets, sampleWeights] = [[random([ROWS, 5], 1)], [random([ROWS, 3], 2)], [weightsOf(3)]];
    const program = compileEvaluationStep(model, ROWS, specsOf(features), specsOf(targets), [true]);
    const { logs } = await runProgram(program, model, { features, targets, sampleWeights });
    expectClose(logs, tfjsStep(model, features, targets, sampleWeights).logs, 'loss and metrics');
  });

  it('leave the other loss as it is for weights of one', async () => {
    const model = dense([3]);
    const [features, targets] = [[random([ROWS, 5], 1)], [random([ROWS, 3], 2)]];
    const program = compileTrainingStep(model, ROWS, specsOf(features), specsOf(targets), [true]);
    const sampleWeights = [tf.ones([ROWS])];
    const actual = await runProgram(program, model, { features, targets, sampleWeights });
    expectSame(actual, tfjsStep(model, features, targets));
  });

  // tfjs would multiply [rows] with [rows, steps]: an error, or weights for the steps where there are as many as rows.
  it('weight rows of sequences, whatever the number of steps', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [ROWS, 2], units: 1, kernelInitializer: seeded(1) })],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const [features, targets, weights] = [[random([ROWS, ROWS, 2], 1)], [random([ROWS, ROWS, 1], 2)], weightsOf(3)];
    const program = compileTrainingStep(model, ROWS, specsOf(features), specsOf(targets), [true]);
    const { logs } = await runProgram(program, model, { features, targets, sampleWeights: [weights] });
    const errors = tf.square(tf.sub(model.predict(features) as tf.Tensor, targets[0] as tf.Tensor));
    const expected = tf.mean(tf.mul(tf.mean(errors, [1, 2]), weights)).dataSync();
    expectClose(logs, expected, 'loss');
  });

  it('are refused for more outputs than there are', () => {
    const spec = (n: number) => [{ shape: [n], dtype: 'float32' as const }];
    expect(() => compileTrainingStep(dense([3]), ROWS, spec(5), spec(3), [true, true])).toThrow(
      /has 1 outputs, got sampleWeights for 2/,
    );
  });
});
