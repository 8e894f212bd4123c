/** A module whose model fails in the first worker that asks for it, and never comes in the others. */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function build() {
  try {
    mkdirSync(join(tmpdir(), `shardfit-built-by-none-${process.pid}`));
  } catch {
    return new Promise(() => {});
  }
  throw new Error('not here');
}
