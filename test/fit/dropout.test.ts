/** Dropout masks, read off the loss: every value has a bit of its own, and the loss is the sum of what was kept. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, sgd } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));

const BATCH = 4;
const FEATURES = 5;
const BATCHES = 12;
const BITS = BATCH * FEATURES;

/** Masks of all mini-batches of all epochs as whole numbers, one bit per value. */
async function masks(options: FitOptions): Promise<number[]> {
  const model = tf.sequential({
    layers: [
      tf.layers.dropout({ inputShape: [FEATURES], rate: 0.5 }),
      tf.layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones' }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: ((_: tf.Tensor, p: tf.Tensor) => tf.sum(p, -1)) as () => tf.Scalar });
  const x = Array.from({ length: BATCH * BATCHES }, (_, row) =>
    Array.from({ length: FEATURES }, (_, feature) => 2 ** ((row % BATCH) * FEATURES + feature)),
  );
  const y = x.map(() => [0]);
  const found: number[] = [];
  // What was kept is doubled (rate 0.5), and the loss is a mean over the rows.
  const onBatchEnd = async (_: number, logs?: tf.Logs) => void found.push(((logs?.loss as number) * BATCH) / 2);
  // A rate too small to move any weight off 1.
  const optimizer = sgd({ learningRate: 1e-30 });
  await fit(model, x, y, {
    batchSize: BATCH,
    shuffle: false,
    seed: 3,
    optimizer,
    ...options,
    callbacks: { onBatchEnd },
  });
  return found;
}

const ones = (mask: number) => mask.toString(2).replaceAll('0', '').length;

describe('dropout masks', () => {
  it('are another one every step, also in the next epoch', async () => {
    const found = await masks({ workers: 1, epochs: 2 });
    expect(found).toHaveLength(2 * BATCHES);
    expect(found.every((mask) => Number.isInteger(mask) && mask >= 0 && mask < 2 ** BITS)).toBe(true);
    expect(new Set(found).size).toBe(2 * BATCHES);
    const kept = found.reduce((sum, mask) => sum + ones(mask), 0);
    const values = 2 * BATCHES * BITS;
    // Five standard deviations of a fair coin.
    expect(Math.abs(kept - values / 2)).toBeLessThan(2.5 * Math.sqrt(values));
  });

  it('do not depend on how the batch is cut or who computes it', async () => {
    const reference = await masks({ workers: 1 });
    for (const [workers, shards] of [
      [2, 2],
      [3, 3],
      [2, 4],
    ]) {
      expect(await masks({ workers, shards })).toEqual(reference);
    }
  });

  it('are others with another seed', async () => {
    expect(await masks({ workers: 1, seed: 4 })).not.toEqual(await masks({ workers: 1 }));
  });
});
