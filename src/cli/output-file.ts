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
  const replaced = await Promise.all([MODEL_FILE, ...(await filesOfModel(model))].map((n) => isSame(join(model, n))));
  if (!own && !replaced.includes(true)) return;
  throw new UsageError(`${flag} ${file} is among the files of the model in ${model}: choose another file`);
}

/** The files that model.json names; none if it cannot be read, of which loading the model will tell. */
async function filesOfModel(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, MODEL_FILE), 'utf8').catch(() => '{}');
  const manifest = parseManifest(text);
  return 'problem' in manifest ? [] : filesOf(manifest);
}
