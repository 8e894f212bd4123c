import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { outputPlace } from '../saved-model/write-output.js';
import { UsageError } from './usage-error.js';

/**
 * Before the work rather than after it, when it would be lost.
 *
 * @throws UsageError if the folder that a file is to be written into cannot be written to.
 */
export async function checkFolderOf(flag: string, file: string): Promise<void> {
  const { path, kind } = await outputPlace(file);
  if (kind === 'through') return;
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch(() => {
    throw new UsageError(`${flag} ${file} cannot be written: make the folder ${folder} first, or choose another file`);
  });
}
