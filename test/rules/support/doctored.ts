import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterAll } from 'vitest';
import type { Fit } from './checks.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A change of the built code: in `file`, `find` is replaced. */
export interface Change {
  /** Below `dist`. */
  file: string;
  find: string | RegExp;
  replace: string;
}

const copies: string[] = [];
afterAll(() => Promise.all(copies.map((copy) => rm(copy, { recursive: true, force: true }))));

/**
 * `fit` of a copy of the built package in which something was changed on purpose, in its threads too. The copy goes when
 * the test file is done. Copies share tfjs, and with it the backend that traces: only the newest one can be used.
 *
 * @throws Error if there is nothing to replace: the change would be none.
 */
export async function doctoredFit(...changes: Change[]): Promise<Fit> {
  // In the repository, so that imports of packages resolve.
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const copy = await mkdtemp(join(cache, 'shardfit-doctored-'));
  copies.push(copy);
  await cp(join(ROOT, 'dist'), join(copy, 'dist'), { recursive: true });
  await writeFile(join(copy, 'package.json'), '{ "type": "module" }');
  for (const { file, find, replace } of changes) {
    const path = join(copy, 'dist', file);
    const text = await readFile(path, 'utf8');
    const changed = text.replace(find, replace);
    if (changed === text) throw new Error(`${file} holds no ${find}: bring this test up to date`);
    await writeFile(path, changed);
  }
  // tfjs would warn of every kernel that a second copy of the package registers.
  tf.enableProdMode();
  return (await import(pathToFileURL(join(copy, 'dist', 'index.js')).href)).fit;
}

/** Makes worker `rank` sleep before each shard. */
export function slowWorker(rank: number, milliseconds: number): Change {
  const sleep = `if (this.rank === ${rank}) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${milliseconds});`;
  return {
    file: 'worker/replica.js',
    find: '#runStage(work, shard, stage) {',
    replace: `#runStage(work, shard, stage) { ${sleep}`,
  };
}
