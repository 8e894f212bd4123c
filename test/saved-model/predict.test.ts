import { availableParallelism } from 'node:os';
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
    ['a value that is no number', [['1', 2]], /rows\[0\], 'a' must be a finite number, got '1'/],
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

/** How many threads `work` starts. */
async function threadsOf(work: () => Promise<unknown>): Promise<number> {
  let threads = 0;
  const count = () => {
    threads++;
  };
  process.on('worker', count);
  await work().finally(() => process.off('worker', count));
  return threads;
}

/** Reads its values: nothing but tfjs can compute it. */
class ReadingLayer extends tf.layers.Layer {
  static className = 'ReadingLayer';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat() as [tf.Tensor];
    return tf.mul(x, 1 + Number(x.dataSync()[0] === 1e9));
  }
}
tf.serialization.registerClass(ReadingLayer);

describe('many rows of a large model', () => {
  const columns = Array.from({ length: 300 }, (_, i) => `c${i}`);
  const wide = { columns, mean: columns.map(() => 1), scale: columns.map(() => 2) };
  const rows = Array.from({ length: 1500 }, (_, row) => columns.map((_, i) => ((row * 31 + i * 17) % 101) / 25));
  const build = (units: number, ...layers: tf.layers.Layer[]) =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 500, inputShape: [300], activation: 'relu' }),
        ...layers,
        tf.layers.dense({ units, activation: units > 1 ? 'softmax' : 'linear' }),
      ],
    });

  test('are computed on all cores, with the numbers of tfjs', async () => {
    const saved = await loaded(build(1), { normalizer: wide, target: { name: 'y', kind: 'number' } });
    let predicted: unknown[] = [];
    const predict = async () => {
      predicted = await saved.predict(rows);
    };
    expect(await threadsOf(predict)).toBe(availableParallelism());
    const expected = [...(saved.model.predict(saved.normalize(rows)) as tf.Tensor).dataSync()];
    expect(predicted).toEqual(expected.map((value) => expect.closeTo(value, 4)));
    await predict();
    expect(await saved.predict(rows)).toEqual(predicted);
    expect(await threadsOf(() => saved.predict(rows.slice(0, 100)))).toBe(0);
  });

  test('end with the reason of a signal', async () => {
    const saved = await loaded(build(1), { normalizer: wide, target: { name: 'y', kind: 'number' } });
    const controller = new AbortController();
    const predicting = saved.predict(rows, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(predicting).rejects.toThrow('enough');
    await expect(saved.predict(rows.slice(0, 2), { signal: controller.signal })).rejects.toThrow('enough');
  });

  test('have the labels of tfjs, where tfjs alone can compute them too', async () => {
    const target = { name: 'y', kind: 'class' as const, classes: ['a', 'b', 'c', 'd'] };
    for (const [layers, threads] of [
      [[], availableParallelism()],
      [[new ReadingLayer({})], 0],
    ] as const) {
      const saved = await loaded(build(4, ...layers), { normalizer: wide, target });
      let labels: unknown[] = [];
      const predict = async () => {
        labels = await saved.predict(rows);
      };
      expect(await threadsOf(predict)).toBe(threads);
      const classes = (saved.model.predict(saved.normalize(rows)) as tf.Tensor).argMax(1).dataSync();
      expect(labels).toEqual([...classes].map((index) => target.classes[index]));
    }
  });
});
