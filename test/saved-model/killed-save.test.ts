import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { loadModel } from '#shardfit/saved-model/load-model.js';
import { saveModel } from '#shardfit/saved-model/save-model.js';
import { modelOf, temporaryFolder } from './models.js';

tf.enableProdMode();
const SCRIPT = fileURLToPath(new URL('save-forever.mjs', import.meta.url));
const root = await temporaryFolder();

/** Starts a process that saves without end; resolves once it has saved. */
async function startSaving(folder: string) {
  const child = spawn(process.execPath, [SCRIPT, folder, '1000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

/** The one value that all kernel weights of the model in `folder` must have. */
async function loadedValue(folder: string): Promise<number> {
  const { model } = await loadModel(folder);
  const values = new Set(model.getWeights()[0]?.dataSync());
  model.dispose();
  expect(values.size).toBe(1);
  return [...values][0] as number;
}

test('a save that is killed at any point leaves a whole model, and does not stand in the way of the next', async () => {
  const folder = join(root, 'killed');
  for (let round = 0; round < 8; round++) {
    const child = await startSaving(folder);
    await delay(Math.random() * 60);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect([1, 2, 3]).toContain(await loadedValue(folder));
  }
  await saveModel(folder, modelOf(3));
  await saveModel(folder, modelOf(4));
  // Nothing piles up: this model, the one before it, and model.json.
  expect((await readdir(folder)).length).toBe(3);
});

test('a reader beside a busy writer always finds a whole model', async () => {
  const folder = join(root, 'busy');
  const child = await startSaving(folder);
  try {
    for (let read = 0; read < 40; read++) expect([1, 2, 3]).toContain(await loadedValue(folder));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
