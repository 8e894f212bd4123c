import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { type Explanation, explain } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { gradientNoise } from '#shardfit/study/explain/gradient-noise.js';

let explanation: Explanation;
beforeAll(async () => {
  await tf.setBackend('cpu');
  explanation = await explain({ batchSize: 20, workers: 4 });
});

test('threads do not change the result: the largest difference is exactly 0', () => {
  const { oneThread, allThreads } = explanation;
  expect([oneThread.run.workers, allThreads.run.workers]).toEqual([1, 4]);
  expect(allThreads.largestDifference).toBe(0);
  expect(allThreads.validationLosses).toEqual(oneThread.validationLosses);
  expect([oneThread.updatesPerMiniBatch, allThreads.updatesPerMiniBatch]).toEqual([1, 1]);
});

test('where every shard updates on its own, each mini-batch makes four updates, and the result is another', () => {
  const { perShard, oneThread } = explanation;
  expect(perShard.updatesPerMiniBatch).toBe(4);
  expect(perShard.run.updates).toBe(4 * oneThread.run.updates);
  expect(perShard.rowsPerUpdate).toBeCloseTo(oneThread.rowsPerUpdate / 4, 10);
  expect(perShard.largestDifference).toBeGreaterThan(0.001);
  expect(perShard.run.staleness?.counts.reduce((a, b) => a + b)).toBe(perShard.run.updates);
});

test('batch sizes set the updates of an epoch, and the noise of the gradient', () => {
  const [single, mini, full] = explanation.batchSizes;
  expect([single, mini, full].map((size) => size?.updatesPerEpoch)).toEqual([397, 20, 1]);
  expect(full?.gradientNoise).toBe(0);
  // Rows drawn without putting back, 397 of them: the noise of a mean of 20 is nearly that of one by the root of 20.
  const ratio = (single?.gradientNoise as number) / (mini?.gradientNoise as number);
  expect(ratio).toBeGreaterThan(Math.sqrt(20) * 0.8);
  expect(ratio).toBeLessThan(Math.sqrt(20) * 1.3);
});

test('the question is that of the network with ten inputs and its optimizer', () => {
  const { network, optimizer, data, target } = explanation;
  expect([network, optimizer]).toEqual(['10-20-1', { learningRate: 0.01, decay: 0.1, momentum: 0.1 }]);
  expect(data).toEqual({ name: 'diabetes', rows: 397, validationRows: 45, features: 10, target: 'progression' });
  expect(target.mean).toBeGreaterThan(100);
});

test('the page docs/answer.md has the figures of this run, where they are the same every time', async () => {
  const page = (await readFile(new URL('../../docs/answer.md', import.meta.url), 'utf8')).replaceAll(/ +/g, ' ');
  const { oneThread, perShard, batchSizes } = explanation;
  const whole = (value: number) => value.toLocaleString('en-US');
  const sync = `1 | ${oneThread.rowsPerUpdate} | ${whole(oneThread.run.updates)} | ${oneThread.loss.toPrecision(4)} |`;
  expect(page).toContain(`| \`sync\` | 1 | ${sync} 0 |`);
  expect(page).toContain(`| \`sync\` | 4 | ${sync} **0** |`);
  expect(page).toContain(
    `| \`per-shard\` | 4 | 4 | ${perShard.rowsPerUpdate.toFixed(2)} | ${whole(perShard.run.updates)} |`,
  );
  for (const { kind, run, updatesPerEpoch, gradientNoise, loss, validationLoss } of batchSizes) {
    const noise = `${Math.round(100 * gradientNoise)} %`;
    const losses = `${loss.toPrecision(4)} | ${validationLoss.toPrecision(4)}`;
    expect(page).toContain(`| ${kind} | ${run.batchSize} | ${updatesPerEpoch} | ${noise} | ${losses} |`);
  }
});

test('refuses a batch larger than the data, and one thread to compare with one', async () => {
  await expect(explain({ batchSize: 398 })).rejects.toThrow('batchSize must be at most 397, the rows, got 398');
  await expect(explain({ workers: 1 })).rejects.toThrow('workers must be at least 2');
});

describe('the noise of the gradient', () => {
  test('is the scatter of gradients of mini-batches, as a share of the length of their mean', () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1], units: 1, useBias: false })] });
    model.setWeights([tf.zeros([1, 1])]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    // d/dw (w x - y)^2 at w = 0 is -2 x y: the gradients are -2, -6, -4; their mean is -4.
    const [x, y] = [tf.tensor2d([[1], [1], [1]]), tf.tensor2d([[1], [3], [2]])];
    expect(gradientNoise(model, x, y, 1)).toBeCloseTo(Math.sqrt((4 + 4 + 0) / 3) / 4, 6);
    // Two rows and one: both gradients are -4.
    expect(gradientNoise(model, x, y, 2)).toBeCloseTo(0, 6);
    expect(gradientNoise(model, x, y, 3)).toBe(0);
  });
});
