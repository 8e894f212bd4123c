import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { filesOf, isOwnFile, MODEL_FILE, parseManifest } from '../saved-model/manifest.js';
import { outputPlace } from '../saved-model/write-output.js';
import { checkFolderOf } from './folder-of.js';
import { UsageError } from './usage-error.js';

/** What a command reads, which what it writes must not replace. */
export interface CommandInputs {
  /** Files, by their flags. */
  files?: Record<string, string | undefined>;
  /** Folder of a saved model. */
  model?: string;
}

/**
 * Before the work rather than after it, when it would be lost.
 *
 * @throws UsageError if a file cannot be written, or would replace one that the command reads.
 */
export async function checkOutputFile(flag: string, file: string, { files = {}, model }: CommandInputs): Promise<void> {
  await checkFolderOf(flag, file);
  const { path, kind } = await outputPlace(file);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new UsageError(`${flag} ${file} is a folder: name a file`);
  if (kind === 'through') return;
  const isSame = async (other: string) => {
    const read = await stat(other).catch(() => undefined);
    return found !== undefined && read?.dev === found.dev && read.ino === found.ino;
  };
  for (const [input, name] of Object.entries(files)) {
    if (name === undefined || !(await isSame(name))) continue;
    throw new UsageError(`${flag} ${file} would replace the file that ${input} reads: choose another file`);
  }
  if (model === undefined) return;
  const own = isOwnFile(basename(path)) && (await outputPlace(join(model, basename(path)))).path === path;
  if (!own && (!found || !(await someOf(filesOfModel(model), isSame)))) return;
  throw new UsageError(`${flag} ${file} is among the files of the model in ${model}: choose another file`);
}

async function someOf(paths: AsyncIterable<string>, isSame: (path: string) => Promise<boolean>): Promise<boolean> {
  for await (const path of paths) if (await isSame(path)) return true;
  return false;
}

/** model.json and the files that it names; none if it cannot be read, of which loading the model will tell. */
async function* filesOfModel(folder: string): AsyncGenerator<string> {
  const path = join(folder, MODEL_FILE);
  yield path;
  // Not of a pipe, which could be read once only.
  if (!(await stat(path).catch(() => undefined))?.isFile()) return;
  const manifest = parseManifest(await readFile(path, 'utf8').catch(() => ''));
  if (!('problem' in manifest)) for (const name of filesOf(manifest)) yield join(folder, name);
}
