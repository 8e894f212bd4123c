import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it.each(['fit', 'evaluate'])(
  'to %s, streams 2 GB of rows through less than 700 MB of memory',
  async (work) => {
    const script = fileURLToPath(new URL('./support/stream-two-gigabytes.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, work]);
    const { batches, bytes, peakMegabytes } = JSON.parse(stdout.trim().split('\n').at(-1) as string);
    expect(bytes).toBeGreaterThanOrEqual(2 ** 31);
    expect(batches).toBe(Math.ceil(2 ** 31 / (512 * 784 * 4)));
    expect(peakMegabytes).toBeLessThan(700);
  },
  120_000,
);
