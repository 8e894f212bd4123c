/** The same rows in any form train the same weights. */
import * as tf from '@tensorflow/tfjs';
import ndarray from 'ndarray';
import { type FitOptions, fit, type TensorInput } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from './support/matchers.js';
import { cnn, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const ROWS = 11;
const value = (row: number, column: number) => Math.fround(Math.sin(row * 7 + column));
const table = (columns: number) =>
  Array.from({ length: ROWS }, (_, row) => Array.from({ length: columns }, (_, column) => value(row, column)));

const X = table(6);
const LABELS = X.map((_, row) => row % 3);
const Y = LABELS.map((label) => [0, 1, 2].map((i) => Number(i === label)));

/** An ndarray of another order in memory: a transposed, reversed and strided view. */
function view(rows: number[][], columns: number): ndarray.NdArray {
  const array = ndarray(new Float64Array(2 * ROWS * columns), [columns, 2 * ROWS])
    .transpose(1, 0)
    .step(-2, 1);
  rows.forEach((values, i) => {
    values.forEach((v, j) => {
      array.set(i, j, v);
    });
  });
  return array;
}

async function bits(x: TensorInput, y: TensorInput, model: tf.LayersModel = mlp(), options: FitOptions = {}) {
  await fit(model, x, y, { batchSize: 4, epochs: 2, shards: 2, workers: 2, seed: 1, ...options });
  return sha256(model);
}

describe('x and y', () => {
  it('train the same as tensors, ndarrays, views and nested arrays', async () => {
    const reference = await bits(tf.tensor2d(X), tf.tensor2d(Y));
    const flat = Float32Array.from(X.flat());
    const forms: Record<string, [TensorInput, TensorInput]> = {
      'nested arrays': [X, Y],
      'arrays of typed arrays': [X.map((r) => Float64Array.from(r)), Y.map((r) => Uint8Array.from(r))],
      'arrays of booleans': [X, Y.map((r) => r.map((v) => v === 1))],
      'lists of one tensor': [[tf.tensor2d(X)], [tf.tensor2d(Y)]],
      'lists of one nested array': [[X], [Y]],
      'lists of one ndarray': [[ndarray(flat, [ROWS, 6])], [view(Y, 3)]],
      ndarrays: [ndarray(flat, [ROWS, 6]), ndarray(Y.flat(), [ROWS, 3])],
      'strided, reversed and transposed views': [view(X, 6), view(Y, 3)],
      'an ndarray with an offset': [
        ndarray(new Float32Array([9, 9, ...flat]), [ROWS, 6], [6, 1], 2),
        ndarray(Int32Array.from(Y.flat()), [ROWS, 3]),
      ],
      'objects by name': [{ [mlpInput]: X }, { [mlpOutput]: Y }],
    };
    for (const [form, [x, y]] of Object.entries(forms)) {
      const model = named();
      expect(await bits(x, y, model), form).toBe(reference);
    }
  });

  it('train the same in images of four axes', async () => {
    const pixels = Float32Array.from({ length: ROWS * 64 }, (_, i) => value(i, 1));
    const nested = tf.tensor4d(pixels, [ROWS, 8, 8, 1]).arraySync();
    const reference = await bits(tf.tensor4d(pixels, [ROWS, 8, 8, 1]), Y, cnn());
    expect(await bits(nested, Y, cnn())).toBe(reference);
    expect(await bits(ndarray(pixels, [ROWS, 8, 8, 1]), Y, cnn())).toBe(reference);
  });

  it('take class numbers as a list, a typed array, a column or a tensor', async () => {
    const sparse = () => {
      const model = mlp();
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'sparseCategoricalCrossentropy' });
      return model;
    };
    const reference = await bits(X, LABELS, sparse());
    const forms = [
      Int32Array.from(LABELS),
      Float64Array.from(LABELS),
      LABELS.map((label) => [label]),
      tf.tensor1d(LABELS),
      tf.tensor2d(LABELS, [ROWS, 1]),
      ndarray(Uint8Array.from(LABELS), [ROWS]),
    ];
    for (const y of forms) expect(await bits(X, y, sparse())).toBe(reference);
  });

  it('may be changed once fit has begun to train', async () => {
    const x = X.map((r) => [...r]);
    const reference = await bits(x, Y);
    const onTrainBegin = async () => {
      for (const r of x) r.fill(0);
    };
    expect(await bits(x, Y, mlp(), { callbacks: { onTrainBegin } })).toBe(reference);
  });
});

const mlpInput = 'features';
const mlpOutput = 'classes';

/** The same network with names for its input and output. */
function named(): tf.LayersModel {
  const input = tf.input({ shape: [6], name: mlpInput });
  const [first, last] = mlp().layers as [tf.layers.Layer, tf.layers.Layer];
  const kernelRegularizer = tf.regularizers.l2({ l2: 0.01 });
  const hidden = tf.layers.dense({ units: 8, activation: 'tanh', kernelRegularizer }).apply(input);
  const output = tf.layers.dense({ units: 3, activation: 'softmax', name: mlpOutput }).apply(hidden);
  const model = tf.model({ inputs: input, outputs: output as tf.SymbolicTensor });
  model.setWeights([...first.getWeights(), ...last.getWeights()]);
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}
