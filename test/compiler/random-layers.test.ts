import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProgramInput, StepProgram } from '#shardfit/common/program.js';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectClose, random } from './expect-step.js';
import { runProgram, specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

/** Loss = mean of the layer's output, weighted by a kernel of ones: gradient of the kernel = mean of inputs seen. */
function through(layer: tf.layers.Layer, inputShape: number[]): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape,
        units: 3,
        useBias: false,
        kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }),
      }),
      layer,
    ],
  });
  model.compile({ optimizer: 'sgd', loss: (_, y) => tf.mean(y) });
  return model;
}

function uniformsOf(program: StepProgram): ProgramInput[] {
  return program.inputs.filter((input) => input.role.kind === 'uniform');
}

/** Fixed numbers in [0, 1) for an input. */
function uniforms(input: ProgramInput): Float32Array {
  const stream = input.role.kind === 'uniform' ? input.role.stream : 0;
  return random(input.shape, 100 + stream, 0, 1).dataSync() as Float32Array;
}

/** What the layer should do with a tensor, given the uniform tensors that it draws. */
type Reference = (x: tf.Tensor, draws: tf.Tensor[]) => tf.Tensor;

const gaussian = ([u, v]: tf.Tensor[]) =>
  tf.mul(tf.sqrt(tf.mul(tf.log(tf.sub(1, u as tf.Tensor)), -2)), tf.cos(tf.mul(v as tf.Tensor, 2 * Math.PI)));

const SELU_SATURATION = -1.7580993408473766;

const CASES: [name: string, layer: () => tf.layers.Layer, inputShape: number[], reference: Reference][] = [
  [
    'dropout',
    () => tf.layers.dropout({ rate: 0.4 }),
    [4],
    (x, [u]) => tf.mul(x, tf.div(tf.cast(tf.greaterEqual(u as tf.Tensor, 0.4), 'float32'), 0.6)),
  ],
  [
    'seeded dropout',
    () => tf.layers.dropout({ rate: 0.4, seed: 7 }),
    [4],
    (x, [u]) => tf.mul(x, tf.div(tf.cast(tf.greaterEqual(u as tf.Tensor, 0.4), 'float32'), 0.6)),
  ],
  [
    'spatialDropout1d',
    () => tf.layers.spatialDropout1d({ rate: 0.4 }),
    [5, 4],
    (x, [u]) => tf.mul(x, tf.div(tf.cast(tf.greaterEqual(u as tf.Tensor, 0.4), 'float32'), 0.6)),
  ],
  [
    'gaussianNoise',
    () => tf.layers.gaussianNoise({ stddev: 0.5 }),
    [4],
    (x, draws) => tf.add(x, tf.mul(gaussian(draws), 0.5)),
  ],
  [
    'gaussianDropout',
    () => tf.layers.gaussianDropout({ rate: 0.2 }),
    [4],
    (x, draws) => tf.mul(x, tf.add(tf.mul(gaussian(draws), 0.5), 1)),
  ],
  [
    // As in Keras; tfjs has the sign of the dropped value wrong.
    'alphaDropout',
    () => tf.layers.alphaDropout({ rate: 0.3 }),
    [4],
    (x, [u]) => {
      const a = (0.7 * (1 + 0.3 * SELU_SATURATION ** 2)) ** -0.5;
      const kept = tf.cast(tf.greaterEqual(u as tf.Tensor, 0.3), 'float32');
      return tf.add(
        tf.mul(tf.add(tf.mul(x, kept), tf.mul(tf.sub(1, kept), SELU_SATURATION)), a),
        -a * SELU_SATURATION * 0.3,
      );
    },
  ],
];

describe('random layers', () => {
  for (const [name, layer, inputShape, reference] of CASES) {
    it(`${name} draws from inputs of the program, in the forward pass and the gradient alike`, async () => {
      const model = through(layer(), inputShape);
      const features = [random([6, ...inputShape], 3)];
      const targets = [tf.zeros([6, ...inputShape.slice(0, -1), 3])];
      const program = compileTrainingStep(model, 6, specsOf(features), specsOf(targets));
      const actual = await runProgram(program, model, { features, targets, uniforms });
      const draws = uniformsOf(program);
      expect(draws.every((draw) => draw.role.kind === 'uniform' && draw.role.perRow && draw.shape[0] === 6)).toBe(true);
      const loss = (kernel: tf.Tensor): tf.Scalar => {
        const y = tf
          .dot(tf.reshape(features[0] as tf.Tensor, [-1, 4]), kernel)
          .reshape([6, ...inputShape.slice(0, -1), 3]);
        return tf.mean(
          reference(
            y,
            draws.map((draw) => tf.tensor(uniforms(draw), draw.shape)),
          ),
        );
      };
      const { value, grad } = tf.valueAndGrad(loss)(model.getWeights()[0] as tf.Tensor);
      expectClose(actual.logs, value.dataSync(), 'loss');
      expectClose(actual.gradients.get(0) as Float32Array, grad.dataSync(), 'gradient');
    });
  }

  it('draw other numbers in every layer and every call, counted in the same order for every shard size', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dropout({ rate: 0.5, inputShape: [4] }),
        tf.layers.dense({ units: 3 }),
        tf.layers.gaussianNoise({ stddev: 1 }),
        tf.layers.dropout({ rate: 0.5 }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    for (const rows of [1, 5]) {
      const program = compileTrainingStep(
        model,
        rows,
        [{ shape: [4], dtype: 'float32' }],
        [{ shape: [3], dtype: 'float32' }],
      );
      const streams = uniformsOf(program).map(({ role, shape }) => [role.kind === 'uniform' && role.stream, shape]);
      expect(streams.sort()).toEqual([
        [0, [rows, 4]],
        [1, [rows, 3]],
        [2, [rows, 3]],
        [3, [rows, 3]],
      ]);
    }
  });

  it('share one draw between rows where the noise shape says so', () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 4, inputShape: [4] }), tf.layers.dropout({ rate: 0.5, noiseShape: [1, 4] })],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const spec = [{ shape: [4], dtype: 'float32' as const }];
    const [draw] = uniformsOf(compileTrainingStep(model, 3, spec, spec));
    expect(draw).toMatchObject({ shape: [1, 4], role: { kind: 'uniform', stream: 0, perRow: false } });
  });

  it('draw nothing in evaluation', () => {
    const model = through(tf.layers.dropout({ rate: 0.5 }), [4]);
    const program = compileEvaluationStep(
      model,
      3,
      [{ shape: [4], dtype: 'float32' }],
      [{ shape: [3], dtype: 'float32' }],
    );
    expect(uniformsOf(program)).toEqual([]);
  });

  it('of other kinds are refused by name', () => {
    class Jitter extends tf.layers.Layer {
      static className = 'Jitter';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
        return tf.add(x, tf.randomUniform(x.shape));
      }
      override getClassName(): string {
        return 'Jitter';
      }
    }
    const model = through(new Jitter({ name: 'my_jitter' }), [4]);
    const random = Math.random;
    const compile = () =>
      compileTrainingStep(model, 3, [{ shape: [4], dtype: 'float32' }], [{ shape: [3], dtype: 'float32' }]);
    expect(compile).toThrow(/layer 'my_jitter' draws random numbers/);
    expect(Math.random).toBe(random);
  });
});
