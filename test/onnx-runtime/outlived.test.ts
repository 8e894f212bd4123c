/** What the process must outlive. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it.each([
  ['threads that are ended inside ONNX Runtime', 'end-inside.mjs'],
  ['garbage that is collected between two runs', 'collect-garbage.mjs'],
])('the process outlives %s', async (_, name) => {
  const script = fileURLToPath(new URL(`./support/${name}`, import.meta.url));
  const { stderr } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
  expect(stderr).toBe('');
});
