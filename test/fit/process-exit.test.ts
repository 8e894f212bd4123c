/** A process may exit while its threads train, also in ONNX Runtime. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('./support/exit-during-fit.mjs', import.meta.url));

async function exitDuringFit(how: string): Promise<{ code: number | null; signal: string | null }> {
  const child = spawn(process.execPath, [script, how], { stdio: 'ignore' });
  const [code, signal] = await once(child, 'exit');
  return { code, signal };
}

describe('while threads train', () => {
  it.each([
    ['process.exit', 7],
    ['an uncaught error', 1],
  ])('%s ends the process with its own exit code', async (how, code) => {
    for (let i = 0; i < 4; i++) expect(await exitDuringFit(how)).toEqual({ code, signal: null });
  });
});
