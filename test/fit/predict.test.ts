/** `predict` on several threads beside tfjs' `model.predict` on one. */
import * as tf from '@tensorflow/tfjs';
import { predict } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { residualCnn } from './support/coupled.js';
import { classes, cnn, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

function expectSame(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  for (let i = 0; i < b.length; i++) expect(a[i]).toBeCloseTo(b[i] as number, 5);
}

const MODELS: [string, () => tf.LayersModel, number[]][] = [
  ['an MLP', () => mlp(tf.train.sgd(0.1)), [6]],
  ['a CNN', () => cnn(tf.train.sgd(0.1)), [8, 8, 1]],
  ['a residual CNN with batch norm', () => residualCnn(), [8, 8, 2]],
];

describe.each(MODELS)('%s', (_, build, shape) => {
  it.each([1, 2, 3])('has the outputs of tfjs with %i workers', async (workers) => {
    const model = build();
    const { x } = classes(37, shape);
    expectSame(
      (await predict(model, x, { batchSize: 10, workers })) as tf.Tensor,
      model.predict(x, { batchSize: 10 }) as tf.Tensor,
    );
  });
});

it('takes verbose as tfjs does', async () => {
  const { x } = classes(5, [6]);
  const model = mlp(tf.train.sgd(0.1));
  expectSame((await predict(model, x, { workers: 1, verbose: false })) as tf.Tensor, model.predict(x) as tf.Tensor);
});

it('needs no compiled model, and leaves the number of tensors as it was but for the result', async () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [6] })] });
  const { x } = classes(5, [6]);
  const before = tf.memory().numTensors;
  const output = (await predict(model, x, { workers: 2 })) as tf.Tensor;
  expect(tf.memory().numTensors).toBe(before + 1);
  expectSame(output, model.predict(x) as tf.Tensor);
});

it('gives one tensor for each output of a model, of its own type', async () => {
  const input = tf.input({ shape: [6], name: 'in' });
  const hidden = tf.layers.dense({ units: 4 }).apply(input) as tf.SymbolicTensor;
  const spread = tf.layers.reshape({ targetShape: [2, 2] }).apply(hidden) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: [hidden, spread] });
  const { x } = classes(11, [6]);
  const outputs = (await predict(model, { in: x }, { batchSize: 4, workers: 2 })) as tf.Tensor[];
  (model.predict(x) as tf.Tensor[]).forEach((expected, i) => {
    expectSame(outputs[i] as tf.Tensor, expected);
  });
});

it.each<[object, string]>([
  [{ shards: 2 }, "predict has no option 'shards'; it has batchSize, workers"],
  [{ workers: 0 }, 'workers must be'],
])('refuses %o', async (options, message) => {
  const { x } = classes(5, [6]);
  await expect(predict(mlp(tf.train.sgd(0.1)), x, options)).rejects.toThrow(message);
});

it('refuses rows of another shape, and inputs with different numbers of rows', async () => {
  await expect(predict(mlp(tf.train.sgd(0.1)), tf.zeros([2, 5]))).rejects.toThrow('must have the shape [rows, 6]');
  const inputs = [tf.input({ shape: [1], name: 'a' }), tf.input({ shape: [1], name: 'b' })];
  const model = tf.model({ inputs, outputs: tf.layers.add().apply(inputs) as tf.SymbolicTensor });
  await expect(predict(model, [tf.zeros([2, 1]), tf.zeros([3, 1])])).rejects.toThrow("x 'b' has 3 rows and 'a' has 2");
});
