/** Rules in which workers go at their own pace still end at one mini-batch, all of them, and never wait for one who has ended. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { describe, expect, it } from 'vitest';

const ROWS = 60;
const BATCH = 6;
const x = tf.randomNormal([ROWS, 4], 0, 1, 'float32', 1);
const y = tf.randomNormal([ROWS, 1], 0, 1, 'float32', 2);

function model(): tf.Sequential {
  const result = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] });
  result.compile({ optimizer: tf.train.sgd(1e-4), loss: 'meanSquaredError' });
  return result;
}

const RULES: Record<string, FitOptions> = {
  'per-shard, nobody ahead': { update: 'per-shard', maxStaleness: 0 },
  'per-shard, one ahead': { update: 'per-shard', maxStaleness: 1 },
  'per-shard, no bound': { update: 'per-shard' },
  hogwild: { update: 'hogwild' },
  'local, averaged seldom': { update: 'local', syncEvery: 1000 },
  'local, averaged often': { update: 'local', syncEvery: 3 },
};

describe('a stop in the middle of an epoch', () => {
  for (const [name, rule] of Object.entries(RULES)) {
    it(`ends ${name} with whole mini-batches`, async () => {
      for (let round = 0; round < 6; round++) {
        const controller = new AbortController();
        const options = { ...rule, workers: 6, batchSize: BATCH, epochs: 100_000, signal: controller.signal };
        // The first report comes from within an epoch; a random turn of the event loop later it is stopped.
        const onProgress = () => setTimeout(() => controller.abort(), Math.random() * 20);
        const error = await fit(model(), x, y, { ...options, onProgress }).catch((reason) => reason);
        expect(error.name).toBe('AbortError');
        const { updates, staleness } = error.run;
        if (rule.update === 'local') continue;
        // One update a shard, of which each mini-batch has six: a worker that stopped alone would leave a rest.
        expect(updates % 6).toBe(0);
        expect(staleness.counts.reduce((a: number, b: number) => a + b, 0)).toBe(updates);
      }
    });
  }
});
