/** earlyStopping and modelCheckpoint, in `fit` and in tfjs' own `model.fit`. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { earlyStopping, fit, loadModel, modelCheckpoint, reduceLROnPlateau, sgd } from 'shardfit';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectSameWeights } from '../fit/support/matchers.js';

beforeAll(() => tf.setBackend('cpu'));

/** y = w x, with the optimum at 1. */
function line(rate: number): tf.Sequential {
  const kernelInitializer = tf.initializers.zeros();
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1], kernelInitializer })],
  });
  model.compile({ optimizer: tf.train.sgd(rate), loss: 'meanSquaredError' });
  return model;
}

const X = tf.ones([4, 1]);
const Y = tf.ones([4, 1]);
const ARGS = { batchSize: 4, epochs: 12, shuffle: false };
const weightOf = (model: tf.LayersModel) => model.getWeights()[0]?.dataSync()[0] as number;

type Train = (model: tf.LayersModel, args: object) => Promise<tf.History>;
const TRAINERS: [string, Train][] = [
  ['fit', (model, args) => fit(model, X, Y, { ...ARGS, workers: 2, ...args })],
  ["tfjs' model.fit", (model, args) => model.fit(X, Y, { ...ARGS, ...args })],
];

/** Sets the weight at the beginning of an epoch: a rate near 0 keeps it, so losses are as wanted. */
function weightsByEpoch(model: tf.LayersModel, weights: number[]) {
  return { onEpochBegin: (epoch: number) => model.setWeights([tf.tensor2d([weights[epoch] ?? 9], [1, 1])]) };
}

describe.each(TRAINERS)('in %s', (_, train) => {
  // Losses (1 - w)^2: 1, 0.25, 0.01, 0.04, 0.09, 0.16: best in the third epoch.
  const WEIGHTS = [0, 0.5, 0.9, 0.8, 0.7, 0.6];
  const stopped = async (options: Parameters<typeof earlyStopping>[0]) => {
    const model = line(1e-9);
    const callbacks = [
      new tf.CustomCallback(weightsByEpoch(model, WEIGHTS)),
      earlyStopping({ monitor: 'loss', ...options }),
    ];
    const { epoch } = await train(model, { callbacks });
    return { epochs: epoch.length, weight: weightOf(model) };
  };

  it('earlyStopping ends after the given patience', async () => {
    expect(await stopped({ patience: 2 })).toEqual({ epochs: 5, weight: expect.closeTo(0.7) });
    expect((await stopped({ patience: 0 })).epochs).toBe(4);
  });

  it('earlyStopping gives back the best weights', async () => {
    expect(await stopped({ patience: 2, restoreBestWeights: true })).toEqual({
      epochs: 5,
      weight: expect.closeTo(0.9),
    });
  });

  it('earlyStopping takes small changes for none, and begins when it is told to', async () => {
    expect((await stopped({ patience: 1, minDelta: 0.5 })).epochs).toBe(3);
    expect((await stopped({ patience: 1, startFromEpoch: 3 })).epochs).toBe(5);
    expect((await stopped({ patience: 3, baseline: 0.001 })).epochs).toBe(3);
    expect((await stopped({ mode: 'max' })).epochs).toBe(2);
  });

  it('earlyStopping names the logs there are if the one to monitor is none of them', async () => {
    await expect(train(line(0.1), { callbacks: [earlyStopping()] })).rejects.toThrow(
      /there is no 'val_loss' to monitor: choose from loss.*validationData/,
    );
  });

  it('leaves no tensors behind', async () => {
    const model = line(0.1);
    await train(model, {});
    const before = tf.memory().numTensors;
    await train(model, { callbacks: [earlyStopping({ monitor: 'loss', restoreBestWeights: true })] });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('reduceLROnPlateau reduces the rate after the given patience, cools down, and stops at the least', async () => {
    const model = line(1e-9);
    const rates: number[] = [];
    const rate = () => (model.optimizer as unknown as { learningRate: number }).learningRate;
    const watching = new tf.CustomCallback({ onEpochEnd: () => void rates.push(rate() / 1e-9) });
    // Losses: 1, 0.25, 0.01, 0.04, 0.09, 0.16, then 64 for good.
    const options = { monitor: 'loss', factor: 0.5, patience: 2, cooldown: 1, minLr: 0.2e-9 };
    const callbacks = [new tf.CustomCallback(weightsByEpoch(model, WEIGHTS)), reduceLROnPlateau(options), watching];
    await train(model, { callbacks });
    const expected = [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2];
    rates.forEach((value, epoch) => {
      expect(value, `epoch ${epoch}`).toBeCloseTo(expected[epoch] as number, 5);
    });
  });

  describe('modelCheckpoint', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'shardfit-checkpoint-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('saves every epoch in a folder of its own', async () => {
      const model = line(0.1);
      await train(model, { epochs: 3, callbacks: [modelCheckpoint({ folder: join(folder, 'after-{epoch}') })] });
      expect((await readdir(folder)).sort()).toEqual(['after-1', 'after-2', 'after-3']);
      expectSameWeights((await loadModel(join(folder, 'after-3'))).model, model);
    });

    it('saves only the best', async () => {
      const model = line(1e-9);
      const checkpoint = modelCheckpoint({ folder: join(folder, 'best'), monitor: 'loss', saveBestOnly: true });
      const callbacks = [new tf.CustomCallback(weightsByEpoch(model, WEIGHTS)), checkpoint];
      await train(model, { epochs: 6, callbacks });
      expect(weightOf((await loadModel(join(folder, 'best'))).model)).toBeCloseTo(0.9);
      expect(weightOf(model)).toBeCloseTo(0.6);
    });
  });
});

it('earlyStopping gives back the best weights where a signal ends training, and leaves no tensors behind', async () => {
  const model = line(1e-9);
  const controller = new AbortController();
  const before = tf.memory().numTensors;
  const weights = new tf.CustomCallback({
    onEpochBegin: (epoch: number) => {
      tf.tidy(() => model.setWeights([tf.tensor2d([[0, 0.9, 0.5][epoch] ?? 9], [1, 1])]));
    },
    onEpochEnd: (epoch: number) => {
      if (epoch === 2) controller.abort(new Error('enough'));
    },
  });
  const callbacks = [weights, earlyStopping({ monitor: 'loss', patience: 9, restoreBestWeights: true })];
  const training = fit(model, X, Y, { ...ARGS, workers: 1, signal: controller.signal, callbacks });
  await expect(training).rejects.toThrow('enough');
  expect(weightOf(model)).toBeCloseTo(0.9);
  expect(tf.memory().numTensors).toBe(before);
});

it('reduceLROnPlateau trains with the new rate, and is refused where fit was given another optimizer', async () => {
  // 1 - w shrinks by 1 - 2 rate each epoch. After the first, every improvement is too small: the rate is halved each time.
  const model = line(0.1);
  const plateau = reduceLROnPlateau({ monitor: 'loss', factor: 0.5, patience: 1, minDelta: 2 });
  await fit(model, X, Y, { ...ARGS, epochs: 4, workers: 2, callbacks: [plateau] });
  expect(1 - weightOf(model)).toBeCloseTo((1 - 0.2) * (1 - 0.2) * (1 - 0.1) * (1 - 0.05), 4);
  const failed = fit(line(0.1), X, Y, { ...ARGS, optimizer: sgd(), callbacks: [plateau] });
  await expect(failed).rejects.toThrow('leave out its option optimizer');
});

it.each([
  [() => reduceLROnPlateau({ factor: 1 }), 'reduceLROnPlateau: factor must be in (0, 1), got 1'],
  [() => earlyStopping({ patience: -1 }), 'earlyStopping: patience must be a whole number of at least 0, got -1'],
  [() => earlyStopping({ mode: 'best' as never }), "earlyStopping: mode must be 'auto', 'min' or 'max', got 'best'"],
  [() => earlyStopping({ minDelta: Number.NaN }), 'earlyStopping: minDelta must be a finite number, got NaN'],
  [() => earlyStopping({ baseline: Number.NaN }), 'earlyStopping: baseline must be a finite number, got NaN'],
  [() => earlyStopping({ patince: 1 } as object), "earlyStopping has no option 'patince'; did you mean 'patience'?"],
  [
    () => modelCheckpoint({ folder: 'z', saveBest: true } as never),
    "modelCheckpoint has no option 'saveBest'; did you mean 'saveBestOnly'?",
  ],
  [
    () => reduceLROnPlateau({ fctor: 0.5 } as object),
    "reduceLROnPlateau has no option 'fctor'; did you mean 'factor'?",
  ],
  [() => modelCheckpoint({ folder: '' }), 'modelCheckpoint: folder must be the path of a folder'],
])('%o is refused', (make, message) => {
  expect(make).toThrow(message);
});
