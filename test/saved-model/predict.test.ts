import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadModel, type Preprocessing, saveModel } from 'shardfit';
import { describe, expect, test } from 'vitest';
import { modelOf, PREPROCESSING, temporaryFolder } from './models.js';

tf.enableProdMode();
const root = await temporaryFolder();
let folders = 0;

async function loaded(model: tf.LayersModel, preprocessing?: Preprocessing) {
  const folder = join(root, `model-${folders++}`);
  await saveModel(folder, model, preprocessing);
  return loadModel(folder);
}

/** A layer on inputs of `shape`, with this kernel and bias. */
function layer(kernel: number[][], bias: number[], shape = [2]): tf.LayersModel {
  const model = tf.sequential();
  if (shape.length > 1) model.add(tf.layers.flatten({ inputShape: shape }));
  model.add(tf.layers.dense({ units: bias.length, ...(shape.length === 1 && { inputShape: shape }) }));
  model.setWeights([tf.tensor2d(kernel), tf.tensor1d(bias)]);
  return model;
}

const { normalizer } = PREPROCESSING;
const number: Preprocessing = { normalizer, target: { name: 'y', kind: 'number' } };

describe('a loaded model', () => {
  test('normalizes raw rows by the statistics that it was saved with', async () => {
    const { normalize } = await loaded(modelOf(1), PREPROCESSING);
    const rows = normalize([
      [1, 2],
      [4, 10],
    ]);
    expect(rows.shape).toEqual([2, 2]);
    expect([...rows.dataSync()]).toEqual([0, 0, 1, 2]);
  });

  test('gives rows the shape that its input has', async () => {
    const kernel = [[1], [1]];
    const { normalize, predict } = await loaded(layer(kernel, [0], [2, 1]), number);
    expect(normalize([[1, 2]]).shape).toEqual([1, 2, 1]);
    expect(await predict([[4, 10]])).toEqual([3]);
  });

  test('predicts numbers as numbers', async () => {
    const { predict } = await loaded(layer([[10], [1]], [5]), number);
    const rows = [Float32Array.of(1, 2), [4, 10]];
    expect(await predict(rows)).toEqual([5, 17]);
  });

  test('predicts classes by their labels', async () => {
    const kernel = [
      [1, -1],
      [0, 0],
    ];
    const { predict } = await loaded(layer(kernel, [0, 0]), PREPROCESSING);
    expect(
      await predict([
        [4, 0],
        [-2, 0],
      ]),
    ).toEqual(['no', 'yes']);
  });

  test('tells two classes apart by one output', async () => {
    const { predict } = await loaded(layer([[1], [0]], [0.5]), PREPROCESSING);
    expect(
      await predict([
        [1.3, 0],
        [1, 0],
      ]),
    ).toEqual(['yes', 'no']);
  });

  test('leaves no tensor behind', async () => {
    const { predict } = await loaded(modelOf(1), PREPROCESSING);
    await predict([[1, 2]]);
    const before = tf.memory().numTensors;
    await predict([[1, 2]]);
    await predict([[1]]).catch(() => undefined);
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each<[string, unknown, RegExp]>([
    ['a row that is too short', [[1, 2], [1]], /rows\[1\] must have 2 values \(a, b\), got 1/],
    ['a row alone', [1, 2], /rows\[0\] must have 2 values \(a, b\), got number/],
    ['a value that is not finite', [[1, Number.NaN]], /rows\[0\], 'b' must be a finite number, got NaN/],
    ['a value that is no number', [['1', 2]], /rows\[0\], 'a' must be a finite number, got 1/],
    ['no rows', [], /rows must be an array of one row or more/],
  ])('refuses %s', async (_, rows, message) => {
    const { predict } = await loaded(modelOf(1), PREPROCESSING);
    await expect(predict(rows as number[][])).rejects.toThrow(message);
  });

  test('that was saved without preprocessing says so', async () => {
    const { predict, model } = await loaded(modelOf(1));
    await expect(predict([[1, 2]])).rejects.toThrow(/was saved without preprocessing; call model\.predict/);
    expect((model.predict(tf.ones([1, 2])) as tf.Tensor).shape).toEqual([1, 2]);
  });
});
