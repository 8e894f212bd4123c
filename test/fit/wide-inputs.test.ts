/** Dense layers whose weights stand transposed while they are trained, since their inputs are many: what is trained is the same. */
import * as tf from '@tensorflow/tfjs';
import { fit, sgd } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { StepCompiler, traceTraining } from '#shardfit/compiler/index.js';
import { putParameter, takeParameter } from '#shardfit/coordinator/parameter-values.js';
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

/** Two inputs whose rows are multiplied with the same matrix of weights. */
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

const MODELS: [string, () => tf.LayersModel, number][] = [
  ['ReLU', () => wide(), 2],
  ['one row a shard', () => wide(), 16],
  ['no activation and no bias', () => wide({ activation: 'linear', first: { useBias: false } }), 2],
  ['ELU', () => wide({ activation: 'elu' }), 2],
  ['a softmax over the units', () => wide({ activation: 'softmax' }), 2],
  ['an L2 regularizer', () => wide({ first: { kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }) } }), 2],
  ['an L1 and an L2 regularizer', () => wide({ first: { kernelRegularizer: 'l1l2' } }), 2],
  ['Adam', () => wide({ optimizer: tf.train.adam(0.001) }), 2],
];

function compilerOf(model: tf.LayersModel): StepCompiler {
  const data = {
    features: model.inputs.map(() => ({ shape: [INPUTS], dtype: 'float32' as const })),
    targets: [{ shape: [3], dtype: 'float32' as const }],
    sampleWeights: [],
  };
  return new StepCompiler(traceTraining, model, data, { transposed: 'auto' });
}

/** A layer whose outputs are its inputs once more. */
function twice(): tf.LayersModel {
  const input = tf.input({ shape: [INPUTS] });
  const dense = tf.layers.dense({ units: INPUTS, kernelInitializer: glorot(1) });
  const output = tf.layers.dense({ units: 3, kernelInitializer: glorot(2) }).apply(dense.apply(dense.apply(input)));
  const model = tf.model({ inputs: input, outputs: output as tf.SymbolicTensor });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

/** A product with many rows, and the same sum in another way for one. */
class AsRows extends tf.layers.Layer {
  static readonly className = 'AsRows';
  #kernel: tf.LayerVariable | undefined;

  override build(): void {
    this.#kernel = this.addWeight('kernel', [INPUTS, UNITS], 'float32', glorot(1));
    this.built = true;
  }

  override computeOutputShape(): tf.Shape {
    return [null, UNITS];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = [inputs].flat()[0] as tf.Tensor2D;
      const kernel = this.#kernel?.read() as tf.Tensor2D;
      return x.shape[0] === 1 ? x.transpose().mul(kernel).sum(0, true) : x.matMul(kernel);
    });
  }
}
tf.serialization.registerClass(AsRows);

/** The inputs as three time steps. */
function recurrent(): tf.LayersModel {
  const model = tf.sequential();
  model.add(tf.layers.reshape({ inputShape: [INPUTS], targetShape: [3, INPUTS / 3] }));
  model.add(tf.layers.lstm({ units: 90, kernelInitializer: glorot(1), recurrentInitializer: glorot(2) }));
  model.add(tf.layers.dense({ units: 3, kernelInitializer: glorot(3) }));
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

describe('weights that stand transposed', () => {
  it('are those of first layers that have at least as many inputs as units', () => {
    const indices = (model: tf.LayersModel) => [...compilerOf(model).transposedWeights(16)];
    expect(indices(wide())).toEqual([0]);
    expect(indices(wide({ first: { kernelRegularizer: 'l1l2' } }))).toEqual([0]);
    expect(indices(shared())).toEqual([0]);
    expect(indices(wide({ first: { trainable: false } }))).toEqual([]);
    expect(indices(wide({ first: { units: INPUTS + 1 } }))).toEqual([]);
    expect(indices(twice())).toEqual([]);
    expect(indices(recurrent())).toEqual([]);
  });

  it.each([
    ['a matrix', undefined],
    ['a piece of its rows', { axis: 0, index: 1, count: 2 }],
    ['a piece of its columns', { axis: 1, index: 2, count: 3 }],
  ])('come back as they were: %s', (_, piece) => {
    const shape = [70, 45];
    const weight = Float32Array.from({ length: 70 * 45 }, (_, i) => i);
    const size = weight.length / (piece?.count ?? 1);
    const place = { shape, size, transposed: true as const, ...(piece && { piece }) };
    const standing = new Float32Array(size);
    takeParameter(weight, place, standing);
    const [top, left] = [piece?.axis === 0 ? 35 : 0, piece?.axis === 1 ? 30 : 0];
    const rows = piece?.axis === 0 ? 35 : 70;
    // Row 3 and column 2 of the piece.
    expect(standing[2 * rows + 3]).toBe((top + 3) * 45 + left + 2);
    const back = new Float32Array(weight.length);
    putParameter(standing, place, back);
    back.forEach((value, i) => {
      const [row, column] = [Math.floor(i / 45), i % 45];
      const isIn = row >= top && row < top + rows && column >= left && column < left + size / rows;
      if (value !== (isIn ? i : 0)) expect(value, `element ${i}`).toBe(isIn ? i : 0);
    });
  });
});

describe('a first layer of many inputs', () => {
  describe.each(MODELS)('with %s', (_, build, rowShards) => {
    it.each(['rows', 'units'] as const)("has the weights and the History of tfjs, split: '%s'", async (split) => {
      const { x, y } = classes(ROWS, [INPUTS]);
      const reference = build();
      const expected = await reference.fit(x, y, ARGS);
      const shards = split === 'rows' ? rowShards : 2;
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

  it.each(['per-shard', 'hogwild', 'local'] as const)('is trained by %s with one shard as by tfjs', async (update) => {
    const { x, y } = classes(ROWS, [INPUTS]);
    const [model, reference] = [1, 2].map(() => wide({ optimizer: tf.train.sgd(0.05) })) as [
      tf.Sequential,
      tf.Sequential,
    ];
    await fit(model, x, y, { ...ARGS, update, shards: 1, workers: 1 });
    await reference.fit(x, y, ARGS);
    expectSameWeights(model, reference);
  });

  it('goes on in the next fit with the velocity of the outer step, transposed in one and not in the other', async () => {
    const { x, y } = classes(ROWS, [INPUTS]);
    const options = { ...ARGS, update: 'local', outerMomentum: 0.9, shards: 2, workers: 1 } as const;
    const [model, reference] = [1, 2].map(() => wide({ optimizer: tf.train.sgd(0.05) })) as [
      tf.Sequential,
      tf.Sequential,
    ];
    for (const engine of ['onnx', 'tfjs', 'onnx'] as const) {
      await fit(model, x, y, { ...options, engine });
      await fit(reference, x, y, { ...options, engine: 'tfjs' });
      expectSameWeights(model, reference);
    }
  });

  it('is trained as by tfjs where its product is another one for the last mini-batch', async () => {
    const { x, y } = classes(33, [INPUTS]);
    const build = () => {
      const model = tf.sequential({
        layers: [
          tf.layers.inputLayer({ inputShape: [INPUTS] }),
          new AsRows({}),
          tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(2) }),
        ],
      });
      model.compile({ optimizer: tf.train.momentum(0.02, 0.9), loss: 'categoricalCrossentropy' });
      return model;
    };
    const args = { batchSize: 16, epochs: 2, shuffle: false };
    const [model, reference] = [build(), build()];
    await fit(model, x, y, { ...args, shards: 1, workers: 1 });
    await reference.fit(x, y, args);
    expectSameWeights(model, reference);
  });

  it('is not taken for the layer behind it that keeps mini-batches from being cut', async () => {
    const { x, y } = classes(16, [INPUTS]);
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [INPUTS], units: UNITS, activation: 'relu' }),
        tf.layers.batchNormalization({ name: 'normalization' }),
        tf.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    const warnings: string[] = [];
    const onWarning = (warning: string) => warnings.push(warning);
    // With two rows left over, tfjs computes batch norm in another way.
    await fit(model, x, y, { batchSize: 14, shards: 2, workers: 1, split: 'rows', onWarning });
    expect(warnings.join()).toContain("layer 'normalization'");
  });

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
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, clipNorm: 0.1 });
    const options = { ...ARGS, gradientAccumulationSteps: 2, optimizer };
    const [model, reference] = [wide(), wide()];
    await fit(model, x, y, { ...options, shards: 2, workers: 2 });
    await fit(reference, x, y, { ...options, shards: 1, workers: 1, engine: 'tfjs' });
    expectSameWeights(model, reference);
  });
});
