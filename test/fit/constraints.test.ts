/** Constraints of weights, applied after every update as in Keras. Outside reference: tfjs' own constraints between its updates. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { classes } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

type Constraint = Parameters<typeof tf.layers.dense>[0]['kernelConstraint'];

const CONSTRAINTS: [string, () => Constraint][] = [
  ['maxNorm', () => tf.constraints.maxNorm({ maxValue: 0.5, axis: 0 })],
  ['unitNorm', () => tf.constraints.unitNorm({ axis: 0 })],
  ['nonNeg', () => tf.constraints.nonNeg()],
  ['minMaxNorm', () => tf.constraints.minMaxNorm({ minValue: 0.4, maxValue: 0.6, rate: 0.7, axis: 0 })],
];

function constrained(kernelConstraint: Constraint): tf.LayersModel {
  const model = tf.sequential();
  const biasConstraint = tf.constraints.maxNorm({ maxValue: 0.1, axis: 0 });
  model.add(tf.layers.dense({ units: 7, inputShape: [6], activation: 'relu', kernelConstraint, biasConstraint }));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax', kernelConstraint }));
  model.compile({ optimizer: tf.train.momentum(0.5, 0.9), loss: 'categoricalCrossentropy' });
  return model;
}

/** Not by `setWeights`, which projects weights on their constraints. */
function copyWeights(from: tf.LayersModel, to: tf.LayersModel): void {
  to.weights.forEach((weight, i) => {
    (weight.read() as tf.Variable).assign(from.weights[i]?.read() as tf.Tensor);
  });
}

/** tfjs' updates, and its constraints after each. */
async function trainInSteps(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor, batchSize: number): Promise<void> {
  for (let start = 0; start < (x.shape[0] as number); start += batchSize) {
    const size = Math.min(batchSize, (x.shape[0] as number) - start);
    await model.fit(x.slice(start, size), y.slice(start, size), { batchSize: size, epochs: 1, shuffle: false });
    constrain(model);
  }
}

/** Writing a weight of tfjs projects it on its constraint. */
function constrain(model: tf.LayersModel): void {
  for (const weight of model.weights) weight.write(weight.read().clone());
}

function expectSameWeights(ours: tf.LayersModel, theirs: tf.LayersModel): void {
  ours.getWeights().forEach((weight, i) => {
    const reference = theirs.getWeights()[i]?.dataSync() as Float32Array;
    weight.dataSync().forEach((value, at) => {
      expect(value).toBeCloseTo(reference[at] as number, 5);
    });
  });
}

describe.each(CONSTRAINTS)('%s', (_, constraint) => {
  it.each<[string, FitOptions]>([
    ['1 worker', { workers: 1 }],
    ['3 workers', { workers: 3 }],
    ["the engine 'tfjs'", { workers: 2, engine: 'tfjs' }],
  ])('holds after every update with %s', async (_, options) => {
    const [ours, theirs] = [constrained(constraint()), constrained(constraint())];
    copyWeights(ours, theirs);
    const { x, y } = classes(37, [6]);
    await fit(ours, x, y, { batchSize: 8, shuffle: false, ...options });
    await trainInSteps(theirs, x, y, 8);
    expectSameWeights(ours, theirs);
  });
});

it('leaves frozen weights alone, has the same bits for any number of workers, and goes with accumulation', async () => {
  const { x, y } = classes(40, [6]);
  const models = [1, 2].map(() => {
    const model = constrained(tf.constraints.unitNorm({ axis: 0 }));
    (model.layers[0] as tf.layers.Layer).trainable = false;
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
    return model;
  }) as [tf.LayersModel, tf.LayersModel];
  copyWeights(...models);
  const before = models[0].getWeights().map((weight) => weight.dataSync().slice());
  for (const [i, model] of models.entries()) {
    await fit(model, x, y, { batchSize: 8, gradientAccumulationSteps: 2, shards: 2, workers: i + 1, shuffle: false });
  }
  const [one, other] = models.map((model) => model.getWeights().map((weight) => weight.dataSync()));
  expect(one).toEqual(other);
  // Frozen weights are listed behind the others.
  expect(one?.[2]).toEqual(before[2]);
  const norms = tf.norm(models[0].getWeights()[0] as tf.Tensor, 'euclidean', 0).dataSync();
  for (const norm of norms) expect(norm).toBeCloseTo(1, 5);
});
