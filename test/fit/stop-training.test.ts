/** `model.stopTraining`, and callbacks that throw. */
import { setTimeout as delay } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, type RunSummary } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from './support/matchers.js';
import { classes, mlp } from './support/models.js';
import { workerThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

const BATCH = 2;
const ROWS = 200_000;
const ARGS: FitOptions = { batchSize: BATCH, shuffle: false, workers: 2 };

function endless(rows = ROWS) {
  const { x, y } = classes(500);
  const tile = (t: tf.Tensor) => t.tile([Math.ceil(rows / 500), 1]).slice([0, 0], [rows, -1]);
  return { x: tile(x), y: tile(y) };
}

async function truncated(updates: number): Promise<string> {
  const { x, y } = endless(updates * BATCH);
  const model = mlp();
  await fit(model, x, y, ARGS);
  return sha256(model);
}

describe('model.stopTraining', () => {
  it('set in onEpochEnd ends training after that epoch, as in tfjs', async () => {
    const { x, y } = classes(20);
    const run = async (train: (model: tf.LayersModel, args: object) => Promise<tf.History>) => {
      const model = mlp();
      const onEpochEnd = async (epoch: number) => {
        if (epoch === 1) model.stopTraining = true;
      };
      const history = await train(model, {
        epochs: 5,
        shuffle: false,
        validationSplit: 0.2,
        callbacks: { onEpochEnd },
      });
      return { epoch: history.epoch, names: Object.keys(history.history).sort(), loss: history.history.loss?.length };
    };
    const ours = await run((model, args) => fit(model, x, y, { ...args, workers: 2 }));
    expect(ours).toEqual(await run((model, args) => model.fit(x, y, args)));
    expect(ours.epoch).toEqual([0, 1]);
  });

  it('set in onBatchEnd ends the epoch at a whole update, without validation', async () => {
    const { x, y } = endless();
    const model = mlp();
    const ended: tf.Logs[] = [];
    let batches = 0;
    const history = await fit(model, x, y, {
      ...ARGS,
      epochs: 3,
      validationData: [x.slice([0, 0], [100, -1]), y.slice([0, 0], [100, -1])],
      callbacks: {
        onBatchEnd: async () => {
          batches++;
          model.stopTraining = true;
          // Time for the workers to end their epoch while its mini-batches are still being told.
          if (batches === 2) await delay(100);
        },
        onEpochEnd: async (_: number, logs?: tf.Logs) => void ended.push(logs as tf.Logs),
      },
    });
    const { updates } = history.run;
    expect(updates * BATCH).toBeLessThan(ROWS);
    expect(batches).toBe(updates);
    expect(history.epoch).toEqual([0]);
    expect(Object.keys(ended[0] as tf.Logs).sort()).toEqual(['acc', 'loss']);
    expect(ended).toHaveLength(1);
    expect(sha256(model)).toBe(await truncated(updates));
  });

  it('set in onBatchEnd of the last batch still has the epoch validated', async () => {
    const { x, y } = classes(20);
    const model = mlp();
    const onBatchEnd = async () => {
      model.stopTraining = true;
    };
    const history = await fit(model, x, y, {
      epochs: 3,
      batchSize: 20,
      workers: 2,
      validationData: [x, y],
      callbacks: { onBatchEnd },
    });
    expect(history.epoch).toEqual([0]);
    // No update in between: the validation set is the training set, after its one update.
    const [score] = model.evaluate(x, y) as tf.Scalar[];
    expect(history.history.val_loss?.[0]).toBeCloseTo((score as tf.Scalar).dataSync()[0] as number, 4);
  });

  it('set from outside ends training too, and is forgotten by the next fit', async () => {
    const { x, y } = endless();
    const model = mlp();
    const onProgress = () => {
      model.stopTraining = true;
    };
    const history = await fit(model, x, y, { ...ARGS, epochs: 3, onProgress });
    expect(history.epoch).toEqual([0]);
    expect(history.run.updates * BATCH).toBeLessThan(ROWS);
    const short = classes(10);
    expect((await fit(model, short.x, short.y, { epochs: 4 })).epoch).toEqual([0, 1, 2, 3]);
  });
});

describe('a callback that throws', () => {
  const boom = new Error('boom');
  const thrower = async () => {
    throw boom;
  };

  it.each([
    ['onTrainBegin', 0],
    ['onEpochBegin', 0],
    ['onEpochEnd', 10],
    ['onTrainEnd', 30],
  ])('in %s ends fit with its error and the weights of %i updates', async (name, updates) => {
    const { x, y } = classes(20);
    const model = mlp();
    const training = fit(model, x, y, { ...ARGS, epochs: 3, callbacks: { [name]: thrower } });
    await expect(training).rejects.toBe(boom);
    expect(workerThreads()).toBe(0);
    const other = mlp();
    if (updates > 0) await fit(other, x, y, { ...ARGS, epochs: updates / 10 });
    expect(sha256(model)).toBe(sha256(other));
  });

  it.each(['onBatchBegin', 'onBatchEnd'])('in %s ends fit with its error, at a whole update', async (name) => {
    const { x, y } = endless();
    const model = mlp();
    const error = await fit(model, x, y, { ...ARGS, callbacks: { [name]: thrower } }).then(
      () => undefined,
      (error: Error & { run: RunSummary }) => error,
    );
    expect(error).toBe(boom);
    expect(workerThreads()).toBe(0);
    const { updates } = (error as Error & { run: RunSummary }).run;
    expect(updates).toBeGreaterThan(0);
    expect(updates * BATCH).toBeLessThan(ROWS);
    expect(sha256(model)).toBe(await truncated(updates));
  });

  it('as onProgress ends fit with its error', async () => {
    const { x, y } = endless();
    const onProgress = () => {
      throw boom;
    };
    await expect(fit(mlp(), x, y, { ...ARGS, onProgress })).rejects.toBe(boom);
    expect(workerThreads()).toBe(0);
  });
});

describe('weights that a callback sets', () => {
  const zeros = (model: tf.LayersModel) => model.setWeights(model.getWeights().map((w) => tf.zerosLike(w)));

  it.each([
    ['onTrainBegin', 0],
    ['onEpochBegin', 1],
    ['onEpochEnd', 0],
  ])('in %s are trained on, as in tfjs', async (name, when) => {
    const { x, y } = classes(20);
    const run = async (train: (model: tf.LayersModel, args: object) => Promise<unknown>) => {
      const model = mlp();
      const callback = async (epoch?: number) => {
        if (typeof epoch !== 'number' || epoch === when) zeros(model);
      };
      await train(model, { epochs: 2, shuffle: false, callbacks: { [name]: callback } });
      return model.getWeights().map((w) => [...w.dataSync()].map((v) => Number(v.toFixed(4)) + 0));
    };
    const ours = await run((model, args) => fit(model, x, y, { ...args, workers: 2 }));
    expect(ours).toEqual(await run((model, args) => model.fit(x, y, args)));
  });

  it.each(['onEpochEnd', 'onTrainEnd'])(
    'in %s of the last epoch stay, as those of an early stop that restores the best',
    async (name) => {
      const { x, y } = classes(20);
      const model = mlp();
      await fit(model, x, y, { epochs: 2, workers: 2, callbacks: { [name]: async () => zeros(model) } });
      for (const weight of model.getWeights()) expect([...weight.dataSync()].every((v) => v === 0)).toBe(true);
    },
  );
});
