/** `maxStaleness` bounds the lead of the fastest worker; staleness is what was counted. */
import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { mostStale, stalenessOf, total } from './support/staleness.js';

beforeAll(() => tf.setBackend('cpu'));

test('a worker whose shards are always empty is held back too', async () => {
  // Batches of one row: it is the first worker's, and the second has nothing to do but to be ahead.
  const staleness = await stalenessOf(fit, { workers: 2, batchSize: 1, maxStaleness: 3, epochs: 5 });
  expect(staleness.maxLead).toBeLessThanOrEqual(3);
  expect(total(staleness)).toBe(1000);
});

describe('simulated workers', () => {
  const simulated = { virtualWorkers: 10, straggler: 6, batchSize: 20 };

  test.each([0, 1, 4])(
    'over 10,000 updates none is more than %i mini-batches ahead of the straggler',
    async (maxStaleness) => {
      const staleness = await stalenessOf(fit, { ...simulated, maxStaleness, epochs: 100 });
      expect(total(staleness)).toBe(10_000);
      expect(staleness.maxLead).toBe(maxStaleness);
      expect(staleness.max).toBeLessThanOrEqual(mostStale(10, maxStaleness));
    },
  );

  test('without a bound they run ahead of it', async () => {
    expect((await stalenessOf(fit, { ...simulated, epochs: 5 })).maxLead).toBeGreaterThan(4);
  });

  test('the mean staleness of n workers alike is about n - 1', async () => {
    const { mean } = await stalenessOf(fit, { virtualWorkers: 64, batchSize: 64, epochs: 20 });
    // The first and last updates of every epoch of 4 mini-batches are less stale.
    expect(mean).toBeGreaterThan(30);
    expect(mean).toBeLessThanOrEqual(63);
  });
});

test('one worker is never stale', async () => {
  for (const update of ['per-shard', 'hogwild'] as const) {
    expect(await stalenessOf(fit, { update, workers: 1 })).toEqual({ counts: [100], mean: 0, max: 0, maxLead: 0 });
  }
});
