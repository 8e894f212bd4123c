/** Which rows a mini-batch holds, told by a loss that is the mean of the targets: each row's target is its number. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { vector } from './support/linear.js';

beforeAll(() => tf.setBackend('cpu'));

const ROWS = 40;

/** Mean row number of every mini-batch, one list per epoch. */
async function batchMeans(options: FitOptions, rows = ROWS): Promise<number[][]> {
  const model = vector([1], (yTrue, yPred) => tf.add(tf.sum(yTrue, -1), tf.mul(tf.sum(yPred, -1), 0)));
  const x = Array.from({ length: rows }, () => [1]);
  const y = Array.from({ length: rows }, (_, row) => [row]);
  const epochs: number[][] = [];
  const onEpochBegin = async () => void epochs.push([]);
  const onBatchEnd = async (_: number, logs?: tf.Logs) => void epochs.at(-1)?.push(logs?.loss as number);
  await fit(model, x, y, { epochs: 3, seed: 5, workers: 2, ...options, callbacks: { onEpochBegin, onBatchEnd } });
  return epochs;
}

const inOrder = Array.from({ length: ROWS }, (_, row) => row);
const sorted = (numbers: number[]) => [...numbers].sort((a, b) => a - b);

describe('the rows of an epoch', () => {
  it('are all taken, each once, in another order every epoch', async () => {
    const epochs = await batchMeans({ batchSize: 1 });
    for (const order of epochs) {
      expect(sorted(order)).toEqual(inOrder);
      expect(order).not.toEqual(inOrder);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(epochs[1]).not.toEqual(epochs[2]);
  });

  it('come in the order of the data if it is not shuffled', async () => {
    for (const order of await batchMeans({ batchSize: 1, shuffle: false })) expect(order).toEqual(inOrder);
  });

  it('stand in the same batches however many workers share them', async () => {
    const rows = (await batchMeans({ batchSize: 1, workers: 1 })).map((order) =>
      [order.slice(0, 16), order.slice(16, 32), order.slice(32)].map((b) => b.reduce((x, y) => x + y, 0) / b.length),
    );
    for (const workers of [1, 2, 3]) {
      const means = await batchMeans({ batchSize: 16, workers });
      means.forEach((epoch, i) => {
        expect(epoch).toHaveLength(3);
        epoch.forEach((mean, j) => {
          expect(mean).toBeCloseTo(rows[i]?.[j] as number, 4);
        });
      });
    }
  });

  it('leave out the last ones that are held back for validation, before any shuffling', async () => {
    for (const order of await batchMeans({ batchSize: 1, validationSplit: 0.25 })) {
      expect(sorted(order)).toEqual(inOrder.slice(0, 30));
    }
  });

  it('are one batch if the batch is larger than the data', async () => {
    // Room for a billion rows would be 4 GB.
    for (const batchSize of [1000, 1e9]) expect(await batchMeans({ batchSize, epochs: 1 })).toEqual([[19.5]]);
  });
});
