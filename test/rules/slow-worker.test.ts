/** `maxStaleness` holds with real threads of which one is slow, and the check would see if it did not. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { doctoredFit, slowWorker } from './support/doctored.js';
import { mostStale, stalenessOf, total } from './support/staleness.js';

beforeAll(() => tf.setBackend('cpu'));

describe('two threads, one of them slow', () => {
  const slow = { workers: 2, epochs: 50 };

  test.each([0, 2])('over 10,000 updates no worker is more than %i mini-batches ahead', async (maxStaleness) => {
    const staleness = await stalenessOf(await doctoredFit(slowWorker(1, 0.2)), { ...slow, maxStaleness });
    expect(total(staleness)).toBe(10_000);
    expect(staleness.maxLead).toBe(maxStaleness);
    expect(staleness.max).toBeLessThanOrEqual(mostStale(2, maxStaleness));
  });

  test('without a bound the fast one runs ahead', async () => {
    const staleness = await stalenessOf(await doctoredFit(slowWorker(1, 1)), { ...slow, epochs: 2 });
    expect(staleness.maxLead).toBeGreaterThan(20);
    expect(staleness.max).toBeGreaterThan(mostStale(2, 2));
  });

  test('a worker that does not wait is caught', async () => {
    const careless = { file: 'worker/clocks.js', find: 'step - this.slowest > lead', replace: 'false' };
    const staleness = await stalenessOf(await doctoredFit(slowWorker(1, 1), careless), {
      ...slow,
      epochs: 2,
      maxStaleness: 2,
    });
    expect(staleness.maxLead).toBeGreaterThan(2);
    expect(staleness.max).toBeGreaterThan(mostStale(2, 2));
  });
});

test('hogwild says how far ahead the fastest was', async () => {
  const staleness = await stalenessOf(await doctoredFit(slowWorker(1, 1)), {
    update: 'hogwild',
    workers: 2,
    epochs: 2,
  });
  expect(staleness.maxLead).toBeGreaterThan(2);
});
