import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder of its own for a test file, removed when its tests are over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shardfit-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

let files = 0;

/** Writes a new file to `folder` and returns its path. */
export async function newFile(folder: string, content: string | Uint8Array, extension = 'csv'): Promise<string> {
  const path = join(folder, `file-${files++}.${extension}`);
  await writeFile(path, content);
  return path;
}
