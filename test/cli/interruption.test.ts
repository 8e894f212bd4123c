import { once } from 'node:events';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '#shardfit/saved-model/load-model.js';
import { saveModel } from '#shardfit/saved-model/save-model.js';
import { sha256, weightBytes } from '#shardfit/saved-model/weight-bytes.js';
import { temporaryFolder } from '../data/temporary-folder.js';
import { events, startCli, train } from './run-cli.js';

tf.enableProdMode();
const folder = await temporaryFolder();
const LONG = ['train', '--data', 'digits', '--hidden', '256', '--epochs', '100000'];

/** Starts a long training and sends a signal once the first epoch is told. */
async function interrupted(signals: NodeJS.Signals[], ...args: string[]) {
  const { child, ended } = startCli(...LONG, ...args);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const sent = performance.now();
  for (const signal of signals) child.kill(signal);
  return { ...(await ended), seconds: (performance.now() - sent) / 1000 };
}

describe('Ctrl-C', () => {
  test('ends training within seconds with code 130, and the weights reached are saved', async () => {
    const save = join(folder, 'reached');
    const { code, stdout, stderr, seconds } = await interrupted(['SIGINT'], '--json', '--save', save);
    expect(code).toBe(130);
    expect(seconds).toBeLessThan(5);
    expect(stderr).toMatch(/^shardfit: Stopping .*\nshardfit: saved the weights reached to .*reached\n$/);
    const last = events(stdout).at(-1);
    expect(last).toMatchObject({ event: 'interrupted', updates: expect.any(Number) });
    const { model, preprocessing } = await loadModel(save);
    expect(sha256(weightBytes(model))).toBe(last?.weightsSha256);
    expect(preprocessing?.normalizer.columns).toHaveLength(64);
  });

  test('a second time says that it is stopping', async () => {
    const { code, stdout } = await interrupted(['SIGINT', 'SIGINT']);
    expect(code).toBe(130);
    expect(stdout).toMatch(/Stopped early, after a whole update\.\n/);
  });

  test('SIGTERM ends training in the same way, with code 143', async () => {
    expect((await interrupted(['SIGTERM'], '--json')).code).toBe(143);
  });

  test('before training has begun leaves an older saved model as it was', async () => {
    const save = join(folder, 'older');
    const older = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    await saveModel(save, older);
    const { child, ended } = startCli('train', '--data', 'mnist', '--save', save);
    await once(child, 'spawn');
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGINT');
    const { code } = await ended;
    expect([130, null]).toContain(code);
    expect(sha256(weightBytes((await loadModel(save)).model))).toBe(sha256(weightBytes(older)));
  });
});

test('a reader that goes away, as head does, ends training quietly', async () => {
  const { child, ended } = startCli(...LONG);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
});

test('--save writes the weights whose hash is printed', async () => {
  const save = join(folder, 'model');
  const { stdout } = await train('--data', 'digits', '--epochs', '2', '--json', '--save', save);
  const { model } = await loadModel(save);
  expect(sha256(weightBytes(model))).toBe(events(stdout).at(-1)?.weightsSha256);
});
