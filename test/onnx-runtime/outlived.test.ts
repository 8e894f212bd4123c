/** What the process must outlive. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

it.each([
  ['threads that are ended inside ONNX Runtime', 'end-inside.mjs'],
  ['garbage that is collected between two runs', 'collect-garbage.mjs'],
])('the process outlives %s', async (_, name) => {
  const script = fileURLToPath(new URL(`./support/${name}`, import.meta.url));
  const { stderr } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
  expect(stderr).toBe('');
});

it('a thread that ends with programs loaded gives them back', async () => {
  const released = new Int32Array(new SharedArrayBuffer(4));
  const script = new URL('./support/exit-with-sessions.mjs', import.meta.url);
  const [code] = await once(new Worker(script, { workerData: { sessions: 3, released } }), 'exit');
  expect(code).toBe(3);
  expect(released[0]).toBe(3);
});
