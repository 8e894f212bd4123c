/** A signal that comes while threads start, before the first update: there is nothing to save, and that is said. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runProgram } from '#shardfit/cli/run-program.js';
import { temporaryFolder } from '../data/temporary-folder.js';

it('training that is stopped before its first update says that nothing was saved', async () => {
  const save = join(await temporaryFolder(), 'model');
  const controller = new AbortController();
  const lines: string[] = [];
  const line = (text: string) => void lines.push(text);
  const interruption = {
    signal: controller.signal,
    exitCode: 130,
    stop: () => controller.abort(),
    [Symbol.dispose]: () => {},
  };
  process.once('worker', () => controller.abort());
  const args = ['train', '--data', 'digits', '--workers', '1', '--quiet', '--save', save];
  const output = { line, error: line, terminal: false, onClosed: () => {} };
  expect(await runProgram(['node', 'shardfit', ...args], output, interruption)).toBe(130);
  expect(lines.at(-1)).toBe('shardfit: stopped before the first update; nothing was saved');
  await expect(readdir(save)).rejects.toThrow('ENOENT');
});
