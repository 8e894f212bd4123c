/** A thread that is ended while it is in ONNX Runtime ends alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('./support/end-inside.mjs', import.meta.url));

it('the process outlives threads that are ended inside ONNX Runtime', async () => {
  const child = spawn(process.execPath, [script], { stdio: 'ignore' });
  const [code, signal] = await once(child, 'exit');
  expect({ code, signal }).toEqual({ code: 0, signal: null });
});
