import { execFileSync } from 'node:child_process';
import { on, once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
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

/** Resolves once stderr has said it. */
async function said(stream: NodeJS.ReadableStream, words: string): Promise<void> {
  let text = '';
  for await (const [chunk] of on(stream, 'data')) {
    text += chunk;
    if (text.includes(words)) return;
  }
}

describe('Ctrl-C', () => {
  // Tried again: on a machine that others use at the same time, a second may go by without this process.
  test('ends training within a second with code 130, and the weights reached are saved', { retry: 2 }, async () => {
    const save = join(folder, 'reached');
    const { code, stdout, stderr, seconds } = await interrupted(['SIGINT'], '--json', '--save', save);
    expect(code).toBe(130);
    expect(seconds).toBeLessThan(1);
    expect(stderr).toMatch(/^shardfit: Stopping .*\nshardfit: saved the weights reached to .*reached\n$/);
    const last = events(stdout).at(-1);
    expect(last).toMatchObject({ event: 'interrupted', updates: expect.any(Number) });
    const { event, ...whole } = events(stdout).at(-2) as Record<string, unknown>;
    expect(last).toMatchObject({ epochs: expect.any(Number), result: whole });
    const { model, preprocessing } = await loadModel(save);
    expect(sha256(weightBytes(model))).toBe(last?.weightsSha256);
    expect(preprocessing?.normalizer.columns).toHaveLength(64);
  });

  test('twice at once ends training as one does', async () => {
    const { code, stdout } = await interrupted(['SIGINT', 'SIGINT']);
    expect(code).toBe(130);
    expect(stdout).toMatch(/Stopped early, after a whole update\.\n/);
  });

  test('SIGTERM ends training in the same way, with code 143', async () => {
    expect((await interrupted(['SIGTERM'], '--json')).code).toBe(143);
  });

  test.skipIf(process.platform === 'win32')(
    'before training has begun leaves an older saved model as it was',
    async () => {
      const save = join(folder, 'older');
      const older = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
      await saveModel(save, older);
      // A pipe for a model file: the program is held where it reads it, before training, until this test writes it.
      const pipe = join(folder, 'model.json');
      execFileSync('mkfifo', [pipe]);
      const { child, ended } = startCli('train', '--data', 'digits', '--model', pipe, '--save', save);
      const stderr = child.stderr as NodeJS.ReadableStream;
      await using model = await open(pipe, 'w');
      child.kill('SIGINT');
      await said(stderr, 'Stopping after the step');
      child.kill('SIGINT');
      await said(stderr, 'Still stopping');
      const layers = [tf.layers.dense({ units: 10, activation: 'softmax', inputShape: [64] })];
      await model.writeFile(JSON.stringify(tf.sequential({ layers }).toJSON(null, false)));
      await model.close();
      expect(await ended).toMatchObject({
        code: 130,
        stderr: expect.stringMatching(/stopped before training had begun\n$/),
      });
      expect(sha256(weightBytes((await loadModel(save)).model))).toBe(sha256(weightBytes(older)));
    },
  );
});

describe.skipIf(process.platform === 'win32')('Ctrl-C while the model is read', () => {
  test.each([
    ['predict', ['--data', join(folder, 'rows.csv'), '--out', join(folder, 'result')]],
    ['evaluate', ['--data', join(folder, 'rows.csv'), '--json']],
    ['export', ['--out', join(folder, 'result')]],
  ])('ends %s with code 130 and without a result', async (command, args) => {
    const saved = join(folder, `saved-${command}`);
    const save = await train('--data', 'diabetes', '--hidden', 'none', '--epochs', '1', '--save', saved);
    expect(save.code).toBe(0);
    await writeFile(join(folder, 'rows.csv'), await readFile('data/diabetes.csv'));
    // A pipe in the place of model.json holds the program until this test writes it.
    const manifest = await readFile(join(saved, 'model.json'));
    await rm(join(saved, 'model.json'));
    execFileSync('mkfifo', [join(saved, 'model.json')]);
    const { child, ended } = startCli(command, '--model', saved, ...args);
    await using pipe = await open(join(saved, 'model.json'), 'w');
    child.kill('SIGINT');
    await said(child.stderr as NodeJS.ReadableStream, 'Stopping');
    await pipe.writeFile(manifest);
    await pipe.close();
    const { code, stdout, stderr } = await ended;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/stopped before there was a result\n$/);
    expect(existsSync(join(folder, 'result'))).toBe(false);
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
