import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('streams 2 GB of rows through less than 700 MB of memory', async () => {
  const script = fileURLToPath(new URL('./support/stream-two-gigabytes.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const { rows, updates, bytes, peakMegabytes } = JSON.parse(stdout.trim().split('\n').at(-1) as string);
  expect(bytes).toBeGreaterThanOrEqual(2 ** 31);
  expect(updates).toBe(rows / 512);
  expect(peakMegabytes).toBeLessThan(700);
}, 120_000);
