/** Dense layers whose weights stand transposed while they are trained, since their inputs are many: what is trained is the same. */
import * as tf from '@tensorflow/tfjs';
import { adam, fit, sgd } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { StepCompiler, traceTraining } from '#shardfit/compiler/index.js';
import { expectSameHistory, expectSameWeights, sha256 } from './support/matchers.js';
import { classes } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const INPUTS = 300;
const UNITS = 128;
const ROWS = 50;
// 40 rows to train on: batches of 16, 16 and 8.
const ARGS = { batchSize: 16, epochs: 2, validationSplit: 0.2, shuffle: false };

const glorot = (seed: number) => tf.initializers.glorotUniform({ seed });

interface Wide {
  optimizer?: tf.Optimizer;
  first?: object;
  activation?: 'relu' | 'tanh' | 'sigmoid' | 'linear' | 'elu' | 'softmax';
  dropout?: boolean;
}

function wide({ optimizer = tf.train.momentum(0.02, 0.9), first = {}, activation = 'relu' }: Wide = {}): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [INPUTS], units: UNITS, activation, kernelInitializer: glorot(1), ...first }),
      tf.layers.dense({
        units: 96,
        activation: 'tanh',
        kernelInitializer: glorot(2),
        biasInitializer: glorot(5) as never,
      }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(3) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The same matrix of weights in two layers, and rows that are multiplied with it before and after they are scaled. */
function shared(): tf.LayersModel {
  const inputs = [tf.input({ shape: [INPUTS] }), tf.input({ shape: [INPUTS] })];
  const dense = tf.layers.dense({ units: UNITS, activation: 'relu', kernelInitializer: glorot(1) });
  const both = inputs.map((input) => dense.apply(input) as tf.SymbolicTensor);
  const joined = tf.layers
    .concatenate()
    .apply([tf.layers.add().apply(both) as tf.SymbolicTensor, both[0] as tf.SymbolicTensor]);
  const outputs = tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(3) }).apply(joined);
  const model = tf.model({ inputs, outputs: outputs as tf.SymbolicTensor });
  model.compile({ optimizer: tf.train.momentum(0.02, 0.9), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const MODELS: [string, () => tf.LayersModel][] = [
  ['ReLU', () => wide()],
  ['no activation and no bias', () => wide({ activation: 'linear', first: { useBias: false } })],
  ['ELU', () => wide({ activation: 'elu' })],
  ['a softmax over the units', () => wide({ activation: 'softmax' })],
  ['an L2 regularizer', () => wide({ first: { kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }) } })],
  ['an L1 and an L2 regularizer', () => wide({ first: { kernelRegularizer: 'l1l2' } })],
  ['Adam', () => wide({ optimizer: tf.train.adam(0.001) })],
  ['one row a shard', () => wide()],
];

function compilerOf(model: tf.LayersModel): StepCompiler {
  const data = {
    features: model.inputs.map(() => ({ shape: [INPUTS], dtype: 'float32' as const })),
    targets: [{ shape: [3], dtype: 'float32' as const }],
    sampleWeights: [],
  };
  return new StepCompiler(traceTraining, model, data, { transposed: 'auto' });
}

describe('a first layer of many inputs', () => {
  it('stands transposed; no other one does, nor a frozen one', () => {
    expect([...compilerOf(wide()).transposedWeights(16)]).toEqual([0]);
    expect([...compilerOf(wide({ first: { kernelRegularizer: 'l1l2' } })).transposedWeights(16)]).toEqual([0]);
    expect([...compilerOf(wide({ first: { trainable: false } })).transposedWeights(16)]).toEqual([]);
    expect([...compilerOf(shared()).transposedWeights(16)]).toEqual([0]);
  });

  describe.each(MODELS)('with %s', (name, build) => {
    it.each(['rows', 'units'] as const)("has the weights and the History of tfjs, split: '%s'", async (split) => {
      const { x, y } = classes(ROWS, [INPUTS]);
      const reference = build();
      const expected = await reference.fit(x, y, ARGS);
      const shards = name === 'one row a shard' && split === 'rows' ? 16 : 2;
      const bits = new Set<string>();
      for (const workers of [1, 2]) {
        const model = build();
        const history = await fit(model, x, y, { ...ARGS, workers, shards, split });
        expectSameWeights(model, reference);
        expectSameHistory(history, expected);
        bits.add(sha256(model));
      }
      expect(bits.size).toBe(1);
    });
  });

  it('is trained as by tfjs where two inputs share it', async () => {
    const { x, y } = classes(ROWS, [INPUTS]);
    const xs = [x, x.mul(0.5)];
    const [model, reference] = [shared(), shared()];
    const history = await fit(model, xs, y, { ...ARGS, workers: 2 });
    expectSameHistory(history, await reference.fit(xs, y, ARGS));
    expectSameWeights(model, reference);
  });

  it('goes on in the next fit, cut along units in one and not in the other', async () => {
    const { x, y } = classes(ROWS, [INPUTS]);
    const [model, reference] = [wide({ optimizer: tf.train.adam(0.001) }), wide({ optimizer: tf.train.adam(0.001) })];
    for (const split of ['rows', 'units', 'rows'] as const) {
      await fit(model, x, y, { ...ARGS, split, shards: 2, workers: 2 });
      await reference.fit(x, y, ARGS);
      expectSameWeights(model, reference);
    }
  });

  it('takes over what a callback makes of its weights', async () => {
    const halve = (model: tf.LayersModel) => ({
      onEpochEnd: () => model.setWeights(model.getWeights().map((weight) => weight.mul(0.5))),
    });
    const { x, y } = classes(ROWS, [INPUTS]);
    const [model, reference] = [wide(), wide()];
    await fit(model, x, y, { ...ARGS, workers: 2, callbacks: halve(model) });
    await reference.fit(x, y, { ...ARGS, callbacks: halve(reference) });
    expectSameWeights(model, reference);
  });

  it.each(['per-shard', 'hogwild', 'local'] as const)(
    'is trained by %s with one shard as by one thread',
    async (update) => {
      const { x, y } = classes(ROWS, [INPUTS]);
      const optimizer = sgd({ learningRate: 0.05 });
      const [model, reference] = [wide(), wide()];
      await fit(model, x, y, { ...ARGS, update, shards: 1, workers: 1, optimizer });
      await fit(reference, x, y, { ...ARGS, shards: 1, workers: 1, optimizer });
      expectSameWeights(model, reference);
    },
  );

  it('has its constraint', async () => {
    const maxValue = 0.9;
    const { x, y } = classes(ROWS, [INPUTS]);
    const model = wide({ first: { kernelConstraint: tf.constraints.maxNorm({ maxValue, axis: 0 }) } });
    await fit(model, x, y, { ...ARGS, workers: 2 });
    const norms = (model.getWeights()[0] as tf.Tensor).norm('euclidean', 0).dataSync();
    expect(Math.max(...norms)).toBeLessThan(maxValue + 1e-5);
    expect(Math.max(...norms)).toBeGreaterThan(maxValue - 1e-3);
  });

  it('has its gradients clipped by norm, and added up over mini-batches', async () => {
    const { x, y } = classes(ROWS, [INPUTS]);
    const options = { ...ARGS, gradientAccumulationSteps: 2, optimizer: adam({ learningRate: 0.01, clipNorm: 0.1 }) };
    const [one, two] = [wide(), wide()];
    await fit(one, x, y, { ...options, shards: 2, workers: 1 });
    await fit(two, x, y, { ...options, shards: 2, workers: 2 });
    expect(sha256(two)).toBe(sha256(one));
  });
});
