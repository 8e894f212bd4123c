import { constants, lstat, open, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { cannot, writeWhole } from './write-whole.js';

/** Symbolic links that may follow each other, as the system has it. */
const MOST_LINKS = 40;

/** Where something that is written to a path ends up. */
export interface OutputPlace {
  path: string;
  /** A file, there or not yet, takes the place of the older one. A pipe, a device or an open file is written through. */
  kind: 'file' | 'through';
}

/**
 * Follows the symbolic links of a path that is to be written to.
 *
 * @throws SavedModelError that names the path, if they lead in a circle.
 */
export async function outputPlace(path: string): Promise<OutputPlace> {
  let at = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const folder = await realpath(dirname(at)).catch(() => dirname(at));
    at = join(folder, basename(at));
    const found = await lstat(at).catch(() => undefined);
    if (!found?.isSymbolicLink()) {
      return { path: at, kind: !found || found.isFile() || found.isDirectory() ? 'file' : 'through' };
    }
    // Such as /dev/stdout: the link of the system to a file that is open.
    if (folder.startsWith('/proc/')) return { path: at, kind: 'through' };
    at = resolve(folder, await readlink(at));
  }
  throw cannot('write', path, Object.assign(new Error(), { code: 'ELOOP' }));
}

/**
 * Writes a file that the user names, as `writeWhole` does. A symbolic link stays, and what it leads to is written; a pipe or a
 * device stays what it is.
 *
 * @throws SavedModelError that names the path.
 */
export async function writeOutput(path: string, content: Uint8Array | string): Promise<void> {
  const place = await outputPlace(path);
  if (place.kind === 'file') return writeWhole(place.path, content);
  try {
    await writeThrough(place.path, content);
  } catch (error) {
    throw cannot('write', path, error);
  }
}

async function writeThrough(path: string, content: Uint8Array | string): Promise<void> {
  const own = { [`/proc/${process.pid}/fd/1`]: process.stdout, [`/proc/${process.pid}/fd/2`]: process.stderr }[path];
  if (own) {
    // Where they are sockets, their names cannot be opened.
    return new Promise((resolved, reject) => {
      own.write(content, (error) => (error ? reject(error) : resolved()));
    });
  }
  await using file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  await file.writeFile(content);
}
