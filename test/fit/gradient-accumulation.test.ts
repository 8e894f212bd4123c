/** Several mini-batches that make one update. Outside reference: one batch of all their rows, and tfjs. */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { exponentialDecay, type FitOptions, fit, fitDataset, sgd } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { residualCnn } from './support/coupled.js';
import { sha256 } from './support/matchers.js';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const rows = classes(48, [6]);

function twins(): [tf.LayersModel, tf.LayersModel] {
  const [one, other] = [mlp(tf.train.momentum(0.2, 0.9)), mlp(tf.train.momentum(0.2, 0.9))];
  other.setWeights(one.getWeights());
  return [one, other];
}

function expectSameWeights(one: tf.LayersModel, other: tf.LayersModel, digits = 5): void {
  one.getWeights().forEach((weight, i) => {
    const reference = other.getWeights()[i]?.dataSync() as Float32Array;
    weight.dataSync().forEach((value, at) => {
      expect(value).toBeCloseTo(reference[at] as number, digits);
    });
  });
}

const accumulated: FitOptions = { batchSize: 4, gradientAccumulationSteps: 3, epochs: 2, shuffle: false };

it.each([1, 2, 3])('is the update of one batch of all rows, with %i workers', async (workers) => {
  const [ours, theirs] = twins();
  const { run } = await fit(ours, rows.x, rows.y, { ...accumulated, workers });
  await theirs.fit(rows.x, rows.y, { batchSize: 12, epochs: 2, shuffle: false });
  expectSameWeights(ours, theirs);
  expect([run.updates, run.miniBatches]).toEqual([8, 12]);
});

it('makes an update of what is left at the end of an epoch', async () => {
  const [ours, theirs] = twins();
  const [x, y] = [rows.x.slice([0, 0], [20, 6]), rows.y.slice([0, 0], [20, 3])];
  const { run } = await fit(ours, x, y, { ...accumulated, epochs: 1, workers: 2 });
  await theirs.fit(x, y, { batchSize: 12, epochs: 1, shuffle: false });
  expectSameWeights(ours, theirs);
  expect(run.updates).toBe(2);
});

it('clips the norm of the mean gradient, and counts updates for the learning rate', async () => {
  const [ours, theirs] = twins();
  const optimizer = sgd({
    learningRate: exponentialDecay({ initial: 0.3, factor: 0.5, every: 1 }),
    momentum: 0.9,
    globalClipNorm: 0.05,
  });
  await fit(ours, rows.x, rows.y, { ...accumulated, optimizer, workers: 2 });
  await fit(theirs, rows.x, rows.y, { batchSize: 12, epochs: 2, shuffle: false, optimizer, workers: 1 });
  expectSameWeights(ours, theirs);
});

it('applies what was gathered when training is stopped', async () => {
  const [ours, theirs] = twins();
  const many = { x: tf.tile(rows.x, [400, 1]), y: tf.tile(rows.y, [400, 1]) };
  const onBatchEnd = () => {
    ours.stopTraining = true;
  };
  const { run } = await fit(ours, many.x, many.y, {
    ...{ ...accumulated, epochs: 1, gradientAccumulationSteps: 1000, workers: 2 },
    callbacks: { onBatchEnd },
  });
  // Where it was stopped depends on the machine.
  const trained = run.milestones[0]?.rows as number;
  const [x, y] = [many.x.slice([0, 0], [trained, 6]), many.y.slice([0, 0], [trained, 3])];
  await theirs.fit(x, y, { batchSize: 4000, epochs: 1, shuffle: false });
  expectSameWeights(ours, theirs, 4);
  expect(run.updates).toBe(Math.ceil(trained / 4000));
  expect(run.samplesPerSecond).toBeGreaterThan(0);
});

it('has the same bits for any number of workers, and takes moving averages of every mini-batch', async () => {
  const { x, y } = classes(24, [8, 8, 2]);
  const models = [residualCnn(), residualCnn()] as const;
  models[1].setWeights(models[0].getWeights());
  for (const [i, model] of models.entries()) {
    await fit(model, x, y, { ...accumulated, seed: 1, shards: 2, workers: i + 1, stepsPerEpoch: 5 });
  }
  models[0].getWeights().forEach((weight, i) => {
    expect(weight.dataSync()).toEqual(models[1].getWeights()[i]?.dataSync());
  });
});

it('goes on over the windows of a data set', async () => {
  const [ours, theirs] = twins();
  const batches = tf.data.array(Array.from({ length: 70 }, (_, i) => ({ xs: i % 12, ys: i % 12 }))).map((at) => {
    const start = (at as unknown as { xs: number }).xs * 4;
    return { xs: rows.x.slice([start, 0], [4, 6]), ys: rows.y.slice([start, 0], [4, 3]) };
  });
  const { run } = await fitDataset(ours, batches, { gradientAccumulationSteps: 5, workers: 2 });
  const all = (t: tf.Tensor) => tf.tile(t, [6, 1]).slice([0, 0], [280, t.shape[1] as number]);
  await theirs.fit(all(rows.x), all(rows.y), { batchSize: 20, epochs: 1, shuffle: false });
  expectSameWeights(ours, theirs, 4);
  expect(run.updates).toBe(14);
});

it('goes on over a smaller batch in the middle of an epoch', async () => {
  const [ours, theirs] = [mlp(tf.train.sgd(0.2)), mlp(tf.train.sgd(0.2))];
  theirs.setWeights(ours.getWeights());
  const cut = (start: number, size: number) => ({
    xs: rows.x.slice([start, 0], [size, 6]),
    ys: rows.y.slice([start, 0], [size, 3]),
  });
  const sizes = [9, 4, 6, 9, 1];
  const batches = tf.data.array(sizes.map((size, i) => cut(5 * i, size)) as never);
  const { run } = await fitDataset(ours, batches as never, { gradientAccumulationSteps: 2, workers: 2 });
  expect(run.updates).toBe(3);
  for (const group of [[0, 1], [2, 3], [4]]) {
    const parts = group.map((i) => cut(5 * i, sizes[i] as number));
    const [x, y] = [tf.concat(parts.map(({ xs }) => xs)), tf.concat(parts.map(({ ys }) => ys))];
    // The mean of the batches' means: rows of a smaller batch count more.
    const sampleWeight = group.flatMap((i) => {
      const size = sizes[i] as number;
      return Array<number>(size).fill((x.shape[0] as number) / (group.length * size));
    });
    await fit(theirs, x, y, { batchSize: 100, sampleWeight, workers: 1 });
  }
  expectSameWeights(ours, theirs);
});

it('belongs to sync', async () => {
  const training = fit(mlp(tf.train.sgd(0.1)), rows.x, rows.y, { gradientAccumulationSteps: 2, update: 'hogwild' });
  await expect(training).rejects.toThrow("gradientAccumulationSteps belongs to update: 'sync'");
});

it.runIf(availableParallelism() > 1)(
  'has the same bits when the number of workers is settled with gradients waiting',
  async () => {
    const build = () => {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({
            inputShape: [6],
            units: 64,
            activation: 'relu',
            kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
          }),
          tf.layers.dense({
            units: 3,
            activation: 'softmax',
            kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }),
          }),
        ],
      });
      model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy' });
      return model;
    };
    // Epochs of 8 mini-batches, two more than updates take: trials end where two wait.
    const [x, y] = [tf.tile(rows.x, [100, 1]), tf.tile(rows.y, [100, 1])];
    const options: FitOptions = {
      batchSize: 600,
      shards: 2,
      gradientAccumulationSteps: 3,
      epochs: 750,
      seed: 1,
      engine: 'onnx',
    };
    const [auto, fixed] = [build(), build()];
    const { run } = await fit(auto, x, y, { ...options, split: 'rows', workers: 'auto' });
    await fit(fixed, x, y, { ...options, split: 'rows', workers: 2 });
    expect(run.settled?.tried.length ?? 0).toBeGreaterThan(0);
    expect(auto.getWeights()[0]?.dataSync().every(Number.isFinite)).toBe(true);
    expect(sha256(auto)).toBe(sha256(fixed));
  },
);
