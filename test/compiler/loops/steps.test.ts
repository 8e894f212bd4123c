import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LoopStep, StepProgram } from '#shardfit/common/program.js';
import { type CompilerOptions, StepCompiler, traceTraining } from '#shardfit/compiler/index.js';
import { expectTrainingStep, random } from '../expect-step.js';
import { countOf } from '../onnx-of.js';

beforeAll(() => tf.setBackend('cpu'));

const ROWS = 64;

/** Two convolutions with batch norm and a sum of both, pooled: images of 24 x 24 with `filters` channels. */
function residual(filters = 16): tf.LayersModel {
  const convolve = (x: tf.SymbolicTensor, seed: number) =>
    tf.layers
      .conv2d({
        filters,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        kernelInitializer: tf.initializers.glorotUniform({ seed }),
      })
      .apply(x) as tf.SymbolicTensor;
  const normalize = (x: tf.SymbolicTensor) => tf.layers.batchNormalization().apply(x) as tf.SymbolicTensor;
  const relu = (x: tf.SymbolicTensor) => tf.layers.reLU().apply(x) as tf.SymbolicTensor;
  const image = tf.input({ shape: [24, 24, 1] });
  const first = relu(normalize(convolve(image, 1)));
  const second = normalize(convolve(first, 2));
  const sum = relu(tf.layers.add().apply([first, second]) as tf.SymbolicTensor);
  const pooled = tf.layers.maxPooling2d({ poolSize: 2 }).apply(sum) as tf.SymbolicTensor;
  const flat = tf.layers.flatten().apply(pooled) as tf.SymbolicTensor;
  const dense = tf.layers.dense({ units: 3, kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }) });
  const model = tf.model({ inputs: image, outputs: dense.apply(flat) as tf.SymbolicTensor });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

function compile(model: tf.LayersModel, rows: number, options: CompilerOptions): StepProgram {
  const data = {
    features: [{ shape: [24, 24, 1], dtype: 'float32' as const }],
    targets: [{ shape: [3], dtype: 'float32' as const }],
    sampleWeights: [],
  };
  return new StepCompiler(traceTraining, model, data, options).compile(rows, { batchRows: ROWS });
}

function loopsOf({ stages }: StepProgram): LoopStep[] {
  return stages.flat().filter((step): step is LoopStep => 'loop' in step);
}

describe('a network of convolutions and batch norm', () => {
  it('leaves no large operation on every element to ONNX Runtime', () => {
    const model = residual();
    const [without, withLoops] = [compile(model, ROWS / 2, {}), compile(model, ROWS / 2, { loops: 'large' })];
    expect(without.loops).toBeUndefined();
    // Those of the loss and the dense layer are small.
    const most = { Mul: 4, Sub: 1, ReduceSum: 5, HardSigmoid: 0, Max: 0, Greater: 0 };
    for (const [operator, few] of Object.entries(most)) {
      expect(countOf(operator, without), operator).toBeGreaterThan(few);
      expect(countOf(operator, withLoops), operator).toBeLessThanOrEqual(few);
    }
    // What both compute by ONNX Runtime.
    expect(countOf('(Blocked)?Conv', withLoops)).toBeLessThanOrEqual(countOf('(Blocked)?Conv', without));
  });

  it('has one function for loops that are alike', () => {
    const program = compile(residual(), ROWS / 2, { loops: 'large' });
    const numbers = loopsOf(program).map(({ loop }) => loop);
    expect(new Set(numbers).size).toBeLessThan(numbers.length);
    const module = new WebAssembly.Module(program.loops?.wasm as Uint8Array<ArrayBuffer>);
    expect(WebAssembly.Module.exports(module)).toHaveLength(new Set(numbers).size);
  });

  it('meets as often as without loops, for the same totals', () => {
    const model = residual();
    const [without, withLoops] = [compile(model, ROWS / 2, {}), compile(model, ROWS / 2, { loops: 'large' })];
    expect(withLoops.stages).toHaveLength(without.stages.length);
    expect(withLoops.exchanges).toEqual(without.exchanges);
  });

  it('computes the step of tfjs, with channels in blocks and with others', async () => {
    for (const filters of [16, 12, 5]) {
      await expectTrainingStep(residual(filters), [random([6, 24, 24, 1], 1)], [random([6, 3], 2)]);
    }
  });
});

it('keeps to ONNX Runtime where loops would save nothing', () => {
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [24, 24, 1] }),
      tf.layers.dense({ units: 512, activation: 'relu' }),
      tf.layers.dense({ units: 3 }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  // Tensors of 64 x 512 numbers.
  expect(compile(model, ROWS, { loops: 'large' }).loops).toBeUndefined();
});

it('keeps to ONNX Runtime where loops would need more memory than there is', () => {
  const data = {
    features: [{ shape: [256, 256, 4], dtype: 'float32' as const }],
    targets: [{ shape: [256, 256, 64], dtype: 'float32' as const }],
    sampleWeights: [],
  };
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 64, kernelSize: 1, inputShape: [256, 256, 4], activation: 'relu' }),
      tf.layers.batchNormalization(),
      tf.layers.reLU(),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const compiler = new StepCompiler(traceTraining, model, data, { loops: 'large' });
  expect(compiler.compile(2).loops?.bytes).toBeGreaterThan(2 * 256 * 256 * 64 * 4);
  expect(compiler.compile(64).loops).toBeUndefined();
});
