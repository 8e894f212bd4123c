/** What recurrent layers become; that their numbers are right is for the conformance suite. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StepProgram } from '#shardfit/common/program.js';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { countOf } from './onnx-of.js';

beforeAll(() => tf.setBackend('cpu'));

const STEPS = 12;
const INPUTS = 3;
const ROWS = 6;

function compiled(...layers: tf.layers.Layer[]): StepProgram {
  const input = tf.layers.inputLayer({ inputShape: [STEPS, INPUTS] });
  const model = tf.sequential({ layers: [input, ...layers, tf.layers.dense({ units: 2 })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const spec = (shape: number[]) => [{ shape, dtype: 'float32' as const }];
  return compileTrainingStep(model, ROWS, spec([STEPS, INPUTS]), spec([2]));
}

describe('a recurrent layer', () => {
  it('has one product for the inputs of all time steps, and one for the gradient of each weight', () => {
    const program = compiled(tf.layers.lstm({ units: 5 }));
    // The state: one product a step forward, one a step back except for the first. The inputs: one. Gradients of kernel
    // and recurrent kernel: two. The dense layer: three.
    expect(countOf('Gemm', program)).toBe(STEPS + (STEPS - 1) + 1 + 2 + 3);
  });

  it('shares its products over time also on top of another one', () => {
    const program = compiled(
      tf.layers.simpleRNN({ units: 4, returnSequences: true }),
      tf.layers.simpleRNN({ units: 5 }),
    );
    // As above for each, and the gradient of the upper layer's inputs.
    expect(countOf('Gemm', program)).toBe(2 * (STEPS + (STEPS - 1) + 1 + 2) + 1 + 3);
  });

  it('applies an activation that its gates share once a step', () => {
    const program = compiled(tf.layers.lstm({ units: 5, recurrentActivation: 'sigmoid' }));
    expect(countOf('Sigmoid', program)).toBe(STEPS);
    expect(countOf('Split', program)).toBeLessThanOrEqual(2 * STEPS + 2);
  });

  it('draws its dropout masks once for all time steps, row by row', () => {
    const program = compiled(tf.layers.lstm({ units: 5, dropout: 0.3, recurrentDropout: 0.2 }));
    const draws = program.inputs.filter(({ role }) => role.kind === 'uniform');
    expect(draws.map(({ shape }) => shape).sort()).toEqual([
      [ROWS, INPUTS],
      [ROWS, 5],
    ]);
    expect(draws.every(({ role }) => role.kind === 'uniform' && role.perRow)).toBe(true);
  });

  it('leaves the masks that its cell holds as they were', () => {
    const layer = tf.layers.gru({ units: 5, dropout: 0.3 });
    const cell = (layer as unknown as { cell: { dropoutMask: unknown; dropoutFunc: unknown } }).cell;
    const mask = tf.keep(tf.ones([ROWS, INPUTS]));
    cell.dropoutMask = mask;
    compiled(layer as tf.layers.Layer);
    expect(cell.dropoutMask).toBe(mask);
    expect(mask.isDisposed).toBe(false);
    expect(cell.dropoutFunc).toBeUndefined();
  });

  it('is refused if it is stateful, and keeps its states', () => {
    const layer = tf.layers.lstm({ units: 5, stateful: true, batchInputShape: [ROWS, STEPS, INPUTS] });
    const model = tf.sequential({ layers: [layer, tf.layers.dense({ units: 2 })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const states = (layer as unknown as { states: tf.Tensor[] }).states.slice();
    const spec = (shape: number[]) => [{ shape, dtype: 'float32' as const }];
    expect(() => compileTrainingStep(model, ROWS, spec([STEPS, INPUTS]), spec([2]))).toThrow(/is stateful/);
    expect((layer as unknown as { states: tf.Tensor[] }).states).toEqual(states);
    expect(states.some((state) => state.isDisposed)).toBe(false);
  });
});
