/** Rows and classes that count more than others: beside tfjs, and beside rows that are there twice. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameHistory, expectSameWeights } from './support/matchers.js';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

// 30 rows in mini-batches of 8, 8, 8 and 6: shards of 3+3+2 and 2+2+2 rows.
const ARGS = { batchSize: 8, epochs: 3, shuffle: false };
const CLASS_WEIGHT = { 0: 0.5, 1: 2, 2: 3 };
const model = () => mlp(tf.train.momentum(0.05, 0.9));

function twoOutputs(): tf.LayersModel {
  const input = tf.input({ shape: [6] });
  const head = (name: string, units: number, seed: number) =>
    tf.layers.dense({ units, name, kernelInitializer: tf.initializers.glorotNormal({ seed }) }).apply(input);
  const outputs = [head('a', 3, 1), head('b', 2, 2)] as tf.SymbolicTensor[];
  const built = tf.model({ inputs: input, outputs });
  built.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return built;
}

describe.each([1, 2, 3])('with %i workers', (workers) => {
  it('classWeight is that of tfjs, in training and not in validation', async () => {
    const { x, y } = classes(40, [6]);
    const args = { ...ARGS, validationSplit: 0.25, classWeight: CLASS_WEIGHT };
    const [own, reference] = [model(), model()];
    const expected = await reference.fit(x, y, args);
    expectSameHistory(await fit(own, x, y, { ...args, workers }), expected);
    expectSameWeights(own, reference);
  });

  it('sampleWeight weights the loss of each row, and multiplies with classWeight', async () => {
    const { x, y } = classes(30, [6]);
    const byRow = Array.from(y.argMax(1).dataSync(), (label) => CLASS_WEIGHT[label as 0 | 1 | 2]);
    const [own, reference] = [model(), model()];
    const expected = await reference.fit(x, y, { ...ARGS, classWeight: CLASS_WEIGHT });
    expectSameHistory(await fit(own, x, y, { ...ARGS, workers, sampleWeight: byRow }), expected);
    expectSameWeights(own, reference);
    const both = model();
    const halves = { 0: 0.5, 1: 0.5, 2: 0.5 };
    await fit(both, x, y, { ...ARGS, workers, sampleWeight: tf.tensor1d(byRow).mul(2), classWeight: halves });
    expectSameWeights(both, reference);
  });

  it('a weight of 2 is the row twice, and one of 0 the row left out', async () => {
    const { x, y } = classes(8, [6]);
    const weights = [2, 1, 1, 0, 2, 1, 1, 0];
    const repeated = weights.flatMap((weight, row) => Array<number>(weight).fill(row));
    const twice = tf.tensor1d(repeated, 'int32');
    const [own, reference] = [model(), model()];
    await fit(own, x, y, { batchSize: 8, epochs: 3, shuffle: false, workers, sampleWeight: weights });
    await reference.fit(tf.gather(x, twice), tf.gather(y, twice), { batchSize: 8, epochs: 3, shuffle: false });
    expectSameWeights(own, reference);
  });
});

it('shuffling takes the weights along', async () => {
  const { x, y } = classes(30, [6]);
  const onlySome = Array.from({ length: 30 }, (_, row) => (row < 10 ? 1 : 0));
  const [own, others] = [model(), model()];
  const args: FitOptions = { batchSize: 8, epochs: 2, shuffle: true, seed: 5, workers: 2, sampleWeight: onlySome };
  await fit(own, x, y, args);
  // What rows without weight hold makes no difference.
  const changed = tf.concat([x.slice([0], [10]), tf.zeros([20, 6])]);
  await fit(others, changed, y, args);
  expectSameWeights(own, others);
});

it('each output has weights of its own, or none', async () => {
  const x = tf.randomNormal([10, 6], 0, 1, 'float32', 1);
  const y = { a: tf.randomNormal([10, 3], 0, 1, 'float32', 2), b: tf.randomNormal([10, 2], 0, 1, 'float32', 3) };
  const [own, reference] = [twoOutputs(), twoOutputs()];
  const args = { batchSize: 10, epochs: 2, shuffle: false };
  await fit(own, x, y, { ...args, workers: 2, sampleWeight: { b: Array<number>(10).fill(0) } });
  const before = twoOutputs().getLayer('b').getWeights()[0]?.dataSync();
  await reference.fit(x, y, args);
  expect(own.getLayer('b').getWeights()[0]?.dataSync()).toEqual(before);
  const a = (m: tf.LayersModel) => Array.from(m.getLayer('a').getWeights()[0]?.dataSync() ?? []);
  a(reference).forEach((value, i) => {
    expect(a(own)[i]).toBeCloseTo(value, 5);
  });
});

it('validation rows may have weights', async () => {
  const { x, y } = classes(16, [6]);
  const weights = Array.from({ length: 16 }, (_, row) => (row % 2 ? 0 : 2));
  const even = tf.tensor1d([0, 2, 4, 6, 8, 10, 12, 14], 'int32');
  const history = async (validationData: FitOptions['validationData']) =>
    (await fit(model(), x, y, { ...ARGS, batchSize: 16, workers: 2, validationData })).history.val_loss;
  const [weighted, chosen] = [await history([x, y, weights]), await history([tf.gather(x, even), tf.gather(y, even)])];
  weighted?.forEach((loss, epoch) => {
    expect(loss).toBeCloseTo(chosen?.[epoch] as number, 5);
  });
});

describe('weights that do not fit end in an error before training', () => {
  const cases: [string, FitOptions, ErrorConstructor, string][] = [
    ['too few', { sampleWeight: [1, 2] }, RangeError, 'sampleWeight must have one weight for each of 12 rows'],
    ['negative', { sampleWeight: Array<number>(12).fill(-1) }, RangeError, 'sampleWeight[0] is -1'],
    ['a number', { sampleWeight: 3 as never }, TypeError, 'sampleWeight must be an array or an object, got 3'],
    ['of another output', { sampleWeight: { c: [1] } }, TypeError, "'c', which is no output of the model"],
    ['without a class', { classWeight: { 0: 1, 1: 1 } }, RangeError, 'classWeight has no weight for class 2'],
    ['of no class', { classWeight: { 0: 1, 1: Number.NaN, 2: 1 } }, RangeError, 'got 1: NaN'],
    [
      'for validation, too few',
      { validationData: [[[1, 2, 3, 4, 5, 6]], [[1, 0, 0]], [1, 2]] },
      RangeError,
      'validationData[2] must',
    ],
  ];
  it.each(cases)('%s', async (_, options, type, message) => {
    const { x, y } = classes(12, [6]);
    const failed = fit(model(), x, y, options);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toBeInstanceOf(type);
  });
});
