/** Layers that are frozen or freed while a fit is under way: their weights stay theirs, and the next fit obeys. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, fitDataset } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const ARGS: FitOptions = { epochs: 4, batchSize: 8, workers: 2, shards: 2, seed: 1 };

/** Weights by layer: `model.getWeights` lists those of frozen layers last. */
const byLayer = (model: tf.LayersModel) =>
  model.layers.map((layer) => layer.getWeights().map((weight) => Array.from(weight.dataSync())));

const setTrainable = (model: tf.LayersModel, trainable: boolean) => {
  (model.layers[0] as tf.layers.Layer).trainable = trainable;
};

async function trained(options: (model: tf.Sequential) => FitOptions, prepare = (_: tf.Sequential) => {}) {
  const { x, y } = classes(40);
  const model = mlp();
  prepare(model);
  await fit(model, x, y, { ...ARGS, ...options(model) });
  return model;
}

describe('a layer', () => {
  it('that a callback freezes keeps its own weights, and is trained to the end of the fit', async () => {
    const model = await trained((model) => ({
      callbacks: { onEpochEnd: async (epoch) => void (epoch === 1 && setTrainable(model, false)) },
    }));
    const undisturbed = await trained(() => ({ callbacks: { onEpochEnd: async () => {} } }));
    expect(byLayer(model)).toEqual(byLayer(undisturbed));
  });

  it('that is frozen without a callback while workers train keeps its own weights', async () => {
    const model = await trained((model) => ({ onProgress: () => setTrainable(model, false) }));
    expect(byLayer(model)).toEqual(byLayer(await trained(() => ({}))));
  });

  it('that is frozen in onBatchEnd has no other weights by that', async () => {
    const { x, y } = classes(40);
    const model = mlp();
    const callbacks = { onBatchEnd: async () => setTrainable(model, false) };
    expect((await fit(model, x, y, { ...ARGS, callbacks })).run.warnings).toEqual([]);
  });

  it('that a callback frees keeps its own weights', async () => {
    const freeze = (model: tf.Sequential) => {
      setTrainable(model, false);
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
    };
    const free = (model: tf.Sequential) => ({ callbacks: { onEpochEnd: async () => setTrainable(model, true) } });
    expect(byLayer(await trained(free, freeze))).toEqual(byLayer(await trained(() => ({}), freeze)));
  });

  it('that was frozen during a fit stays as it is in the next', async () => {
    const model = await trained((model) => ({ callbacks: { onEpochEnd: async () => setTrainable(model, false) } }));
    const before = byLayer(model);
    const { x, y } = classes(40);
    await fit(model, x, y, ARGS);
    expect(byLayer(model)[0]).toEqual(before[0]);
    expect(byLayer(model)[1]).not.toEqual(before[1]);
  });

  it('that is frozen before a data set gives its first smaller batch is trained on that batch, too', async () => {
    const run = async (onEpochEnd: (model: tf.Sequential) => void) => {
      const { x, y } = classes(48);
      const rows = async (from: number, count: number) => ({
        value: { xs: x.slice([from, 0], [count, -1]), ys: y.slice([from, 0], [count, -1]) },
        done: false,
      });
      let epoch = 0;
      const dataset = {
        async iterator() {
          // Only from the second epoch on is there a batch of five.
          const sizes = epoch++ === 0 ? [8, 8] : [8, 8, 5];
          let at = 0;
          return {
            next: async () =>
              at < sizes.length ? rows(8 * at, sizes[at++] as number) : { value: undefined, done: true },
          };
        },
      };
      const model = mlp();
      const callbacks = { onEpochEnd: async () => onEpochEnd(model) };
      await fitDataset(model, dataset, { epochs: 2, workers: 2, shards: 2, callbacks });
      return byLayer(model);
    };
    expect(await run((model) => setTrainable(model, false))).toEqual(await run(() => {}));
  });
});
