/** Where rules come to the same, they do so to the bit, or nearly. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, sgd } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../fit/support/matchers.js';
import { classes, dropoutMlp, mlp, weightsOf } from '../fit/support/models.js';

beforeAll(() => tf.setBackend('cpu'));

async function trained(options: FitOptions, model = mlp()): Promise<tf.LayersModel> {
  const { x, y } = classes(53);
  await fit(model, x, y, { batchSize: 16, epochs: 3, seed: 1, ...options });
  return model;
}

const bits = async (options: FitOptions, model?: tf.Sequential) => sha256(await trained(options, model));

function largestDifference(a: tf.LayersModel, b: tf.LayersModel): number {
  const [left, right] = [weightsOf(a), weightsOf(b)].map((parts) => parts.flatMap((part) => [...part])) as [
    number[],
    number[],
  ];
  return Math.max(...left.map((value, i) => Math.abs(value - (right[i] as number))));
}

const MOMENTUM = sgd({ learningRate: 0.05, momentum: 0.9, decay: 0.01, nesterov: true });

describe('one worker', () => {
  test.each(['per-shard', 'hogwild'] as const)('%s is sync to the bit', async (update) => {
    const sync = await bits({ workers: 1, optimizer: MOMENTUM }, dropoutMlp());
    expect(await bits({ update, workers: 1, optimizer: MOMENTUM }, dropoutMlp())).toBe(sync);
    expect(await bits({ update, virtualWorkers: 1, optimizer: MOMENTUM }, dropoutMlp())).toBe(sync);
  });
});

describe('local', () => {
  test.each([
    // workers, shards: even and uneven shards; 53 rows in batches of 16 end with one of 5
    [1, 1],
    [2, 2],
    [2, 3],
    [3, 7],
  ])('averaged after every mini-batch of plain SGD is sync: %i workers, %i shards', async (workers, shards) => {
    const optimizer = sgd({ learningRate: 0.1 });
    const sync = await trained({ workers: 1, shards, optimizer });
    const local = await trained({ update: 'local', syncEvery: 1, workers, shards, optimizer });
    expect(largestDifference(local, sync)).toBeLessThan(1e-5);
  });

  test('averaged less often is something else', async () => {
    const optimizer = sgd({ learningRate: 0.1 });
    const [sync, local] = [
      await trained({ shards: 2, optimizer }),
      await trained({ update: 'local', syncEvery: 3, shards: 2, optimizer }),
    ];
    expect(largestDifference(local, sync)).toBeGreaterThan(1e-5);
  });

  test.each([{ syncEvery: 1 }, { syncEvery: 3 }, { syncEvery: 2, outerMomentum: 0.9, outerLearningRate: 0.7 }])(
    'is the same bits for any number of workers at fixed shards: %j',
    async (local) => {
      const options = { update: 'local', shards: 6, optimizer: MOMENTUM, ...local } as const;
      const reference = await bits({ ...options, workers: 1 }, dropoutMlp());
      for (const workers of [2, 3, 6]) expect(await bits({ ...options, workers }, dropoutMlp())).toBe(reference);
    },
  );

  test('an outer rate of 1 without momentum takes the average', async () => {
    const plain = await trained({ update: 'local', shards: 2, syncEvery: 3 });
    const outer = await trained({ update: 'local', shards: 2, syncEvery: 3, outerMomentum: 0, outerLearningRate: 1 });
    expect(sha256(outer)).toBe(sha256(plain));
    const half = await trained({ update: 'local', shards: 2, syncEvery: 3, outerLearningRate: 0.5 });
    expect(sha256(half)).not.toBe(sha256(plain));
  });
});

describe('a replay', () => {
  test.each([
    { update: 'per-shard' },
    { update: 'per-shard', maxStaleness: 1, straggler: 4 },
    { update: 'hogwild' },
    { update: 'hogwild', hogwildMomentum: 'private' },
    { update: 'local', syncEvery: 2 },
    { update: 'sync' },
  ] as FitOptions[])('of the same seed is the same bits, of another seed others: %j', async (rule) => {
    const options = { ...rule, virtualWorkers: 8, optimizer: MOMENTUM };
    const first = await bits(options, dropoutMlp());
    expect(await bits(options, dropoutMlp())).toBe(first);
    expect(await bits({ ...options, workers: 2 }, dropoutMlp())).toBe(first);
    expect(await bits({ ...options, seed: 2 }, dropoutMlp())).not.toBe(first);
  });

  test('takes the time of its slowest worker, which a straggler draws out', async () => {
    const { x, y } = classes(64);
    const time = async (options: FitOptions) =>
      (await fit(mlp(), x, y, { update: 'per-shard', batchSize: 16, seed: 1, ...options })).run.simulatedTime as number;
    // 4 mini-batches of 2 rows for each of 8 workers, whose times differ by about a tenth.
    expect(await time({ virtualWorkers: 8 })).toBeGreaterThan(6);
    expect(await time({ virtualWorkers: 8 })).toBeLessThan(12);
    expect(await time({ virtualWorkers: 8, straggler: 10 })).toBeGreaterThan(50);
    expect(await time({ virtualWorkers: 8, update: 'sync' })).toBeGreaterThan(await time({ virtualWorkers: 8 }));
  });
});
