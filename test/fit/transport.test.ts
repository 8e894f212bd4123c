/** Gradients and weights that workers push to each other train the same bits as those that are pulled, and as one worker does. */
import * as tf from '@tensorflow/tfjs';
import { adam, type FitOptions, fit, fitDataset, sgd, Trainer } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { NON_TEMPORAL_COPY } from '#shardfit/common/non-temporal-copy.js';
import { dataset } from './support/batches.js';
import { sha256 } from './support/matchers.js';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const glorot = (seed: number) => tf.initializers.glorotUniform({ seed });

/** Dense 6-900-3 with batch norm, of which weights are replaced, and a constraint. */
function normalizedMlp(): tf.LayersModel {
  const kernelConstraint = tf.constraints.maxNorm({ maxValue: 1 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [6], units: 900, kernelInitializer: glorot(1), kernelConstraint }),
      tf.layers.batchNormalization({ momentum: 0.9 }),
      tf.layers.dropout({ rate: 0.2 }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(2) }),
    ],
  });
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

async function trained(build: () => tf.LayersModel, options: FitOptions) {
  const { x, y } = classes(53, [6]);
  const model = build();
  const all = { batchSize: 16, epochs: 6, shards: 5, split: 'rows', seed: 1, ...options } as const;
  const { run, history } = await fit(model, x, y, all);
  return { bits: sha256(model), run, history };
}

const wide = () => mlp(undefined, 900);

describe.runIf(NON_TEMPORAL_COPY)('pushed', () => {
  it.each<[string, () => tf.LayersModel, FitOptions]>([
    ['momentum', wide, { optimizer: sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }) }],
    ['adam, clipped by value', wide, { optimizer: adam({ learningRate: 0.01, clipValue: 0.01 }) }],
    ['batch norm, a constraint, dropout', normalizedMlp, {}],
    ['gradients accumulated, some left over at the end', normalizedMlp, { gradientAccumulationSteps: 3 }],
    ['validation between epochs', normalizedMlp, { validationSplit: 0.25 }],
    ['more shards than rows in the last mini-batch', wide, { batchSize: 17, shards: 7 }],
  ])('%s', async (_, build, options) => {
    const alone = await trained(build, { ...options, workers: 1 });
    for (const workers of [2, 3, 5]) {
      const { bits, run } = await trained(build, { ...options, workers, transport: 'push' });
      expect(bits, `${workers} workers`).toBe(alone.bits);
      expect(run.pushed).toBe(run.miniBatches * run.epochs);
    }
    const pulled = await trained(build, { ...options, workers: 3, transport: 'pull' });
    expect([pulled.bits, pulled.run.pushed, alone.run.pushed]).toEqual([alone.bits, 0, 0]);
  });

  it('in trials, while training goes on', async () => {
    const { x, y } = classes(53);
    const bits = new Set<string>();
    for (const workers of [1, 3]) {
      const model = wide();
      await using trainer = new Trainer(model, { workers, shards: 3, split: 'rows', batchSize: 16 });
      for (const seed of [1, 2]) {
        const { run } = await trainer.fit(x, y, { epochs: 60, seed });
        expect(run.pushed > 0).toBe(workers > 1);
      }
      bits.add(sha256(model));
    }
    expect(bits.size).toBe(1);
  });

  it('while the number of workers is being settled', async () => {
    const options = { workers: 'auto', shards: 4, epochs: 150, transport: 'push' } as const;
    const { bits, run } = await trained(wide, options);
    expect(run.pushed).toBeGreaterThan(0);
    expect(bits).toBe((await trained(wide, { ...options, workers: 1 })).bits);
  });

  it('batches of a data set', async () => {
    const bits = new Set<string>();
    for (const [workers, transport] of [
      [1, 'auto'],
      [2, 'push'],
      [3, 'pull'],
    ] as const) {
      const model = wide();
      const options = { epochs: 3, shards: 3, split: 'rows', seed: 1, workers, transport } as const;
      const { run } = await fitDataset(model, dataset(50, [6], 8) as never, options);
      expect(run.pushed).toBe(transport === 'push' ? 21 : 0);
      bits.add(sha256(model));
    }
    expect(bits.size).toBe(1);
  });

  it('until training is stopped, after whole updates', async () => {
    const { x, y } = classes(53, [6]);
    const model = wide();
    const seen: number[] = [];
    const { run } = await fit(model, x, y, {
      ...{ batchSize: 16, epochs: 1000, shards: 2, split: 'rows', seed: 1, workers: 2, transport: 'push' },
      callbacks: {
        onEpochEnd: async (epoch) => {
          seen.push(epoch);
          if (epoch === 3) model.stopTraining = true;
        },
      },
    });
    expect([seen.length, run.updates]).toEqual([4, 16]);
    expect(sha256(model)).toBe((await trained(wide, { epochs: 4, shards: 2, workers: 1 })).bits);
  });

  it.each<[string, FitOptions, string]>([
    [
      'few weights',
      { workers: 40, shards: 2 },
      'needs at least 1024 weights for a worker, got 240: take fewer workers',
    ],
    [
      'shares of units',
      { split: 'units', shards: 3, workers: 3 },
      "needs shares of rows, and the model's are of units",
    ],
    ['clipping', { optimizer: sgd({ learningRate: 0.05, clipNorm: 1 }) }, 'does not go with clipping by norm'],
  ])('is refused for %s', async (_, options, why) => {
    const push = { workers: 2, ...options, transport: 'push' } as const;
    await expect(trained(wide, push)).rejects.toThrow(`transport: 'push' ${why}`);
  });
});

it('is refused under rules whose workers do not share an update', async () => {
  const given = trained(wide, { update: 'hogwild', split: 'auto', transport: 'push' });
  await expect(given).rejects.toThrow("transport: 'push' needs update: 'sync', got update: 'hogwild'");
});

it('is a name', async () => {
  const given = trained(wide, { transport: 'post' as never });
  await expect(given).rejects.toThrow("transport must be 'auto' or 'pull' or 'push', got 'post'");
});
