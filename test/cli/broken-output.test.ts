import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MAIN } from './run-cli.js';

/** Runs the program with stdout on a device that is always full. */
async function onFullDisk(...args: string[]): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}

test
  .runIf(existsSync('/dev/full'))
  .each([
    ['train', '--data', 'digits', '--epochs', '2'],
    ['train', '--data', 'digits', '--epochs', '2', '--json'],
    ['--help'],
  ])('on a full disk, %s %s %s ends with one message', async (...args) => {
  const { code, stderr } = await onFullDisk(...args);
  expect(stderr).toBe('shardfit: stdout cannot be written: its disk is full\n');
  expect(code).toBe(1);
});
