/** Fifty fits in a row leave no thread, no file and no memory behind. */
import { readdirSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { systemThreads, workerThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

const MB = 2 ** 20;
const FITS = 50;

function openFiles(): number | undefined {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined;
}

it('fifty fits on 8 MB of data each', async () => {
  // Twice the data of one fit, and what the garbage collector lets stand; fifty times the data would be 400 MB.
  const allowance = 100 * MB;
  const rows = 8192;
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [256], units: 4, activation: 'softmax' })] });
  model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy' });
  const x = tf.randomUniform([rows, 256]);
  const y = tf.oneHot(tf.randomUniform([rows], 0, 4, 'int32'), 4);
  const once = () => fit(model, x, y, { batchSize: 4096, workers: 2 });
  for (let i = 0; i < 5; i++) await once();
  const before = { threads: systemThreads(), files: openFiles(), resident: process.memoryUsage.rss(), tf: tf.memory() };
  for (let i = 0; i < FITS; i++) {
    await once();
    expect(workerThreads(), `after fit ${i}`).toBe(0);
  }
  expect(systemThreads()).toBe(before.threads);
  expect(openFiles()).toBe(before.files);
  expect(tf.memory()).toEqual(before.tf);
  expect(process.memoryUsage.rss() - before.resident).toBeLessThan(allowance);
});
