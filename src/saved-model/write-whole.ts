import { randomInt } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SavedModelError } from './saved-model-error.js';

/**
 * Writes a file so that its name always stands for the older content or the whole new one: beside it, through to the disk,
 * then renamed. Nothing is left behind if that fails.
 *
 * @throws SavedModelError that names the path.
 */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.${randomInt(2 ** 47)}`;
  try {
    await using file = await open(unfinished, 'wx');
    // Of a FileHandle, not `fs.write`: that one stops short on a disk that fills up, and says so to nobody.
    await file.writeFile(content);
    await file.sync();
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw cannot('write', path, error);
  }
}

/**
 * Makes a folder and those above it that are missing. Returns those that were made, the uppermost first.
 *
 * @throws SavedModelError that names the folder which cannot be made.
 */
export async function makeFolder(folder: string): Promise<string[]> {
  const made: string[] = [];
  // One by one: Node's own recursive mkdir never returns where a system answers ENOENT below a folder that exists, as /proc.
  for (const path of await missingFolders(folder)) {
    try {
      await mkdir(path);
      made.push(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannot('make the folder', path, error);
    }
  }
  return made;
}

async function missingFolders(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let path = resolve(folder); ; path = dirname(path)) {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw cannot('make the folder', path, error);
    });
    if (found || path === dirname(path)) return missing;
    missing.unshift(path);
  }
}

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "this user's part of the disk is full",
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the disk can only be read',
  ENOENT: 'the system has no place for it there',
  ENOTDIR: 'a file stands where a folder should',
  EISDIR: 'it is a folder; name a file',
  ELOOP: 'its symbolic links lead nowhere',
  ENXIO: 'nothing there takes it',
  ENAMETOOLONG: 'the name is too long',
};

/** An error of the system in our words. */
export function cannot(what: string, path: string, error: unknown): SavedModelError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new SavedModelError(`cannot ${what} ${path}: ${REASONS[code] ?? message}`, { cause: error });
}
