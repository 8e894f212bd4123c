import { access, constants, open, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { show } from '../common/show.js';
import { checkClass } from '../coordinator/check-model.js';
import { filesOf, isOwnFile, MODEL_FILE, parseManifest, type ShardfitEntry } from './manifest.js';
import { type Preprocessing, writePreprocessing } from './preprocessing.js';
import { SavedModelError } from './saved-model-error.js';
import { sha256 } from './weight-bytes.js';
import { makeFolder, writeWhole } from './write-whole.js';

/**
 * Saves a model to a folder in the layout of tfjs' `model.save()`, with its preprocessing beside it.
 *
 * A reader finds the older model or the new one, never a mixture, at whatever point the process is killed: weights and
 * normalizer get new names of their own, and `model.json`, which names them, takes the place of the older one in a single
 * rename once they are on the disk. The files of the model that was replaced stay until the next save, for readers that
 * have just opened it.
 *
 * @throws SavedModelError if `folder` is a file or holds something other than a model saved by this function, or if it cannot
 *   be written: the older model is then as it was, and nothing of the new one is left. TypeError for a folder, a
 *   model or preprocessing that is none.
 */
export async function saveModel(folder: string, model: tf.LayersModel, preprocessing?: Preprocessing): Promise<void> {
  // Before anything is written.
  if (typeof folder !== 'string') {
    throw new TypeError(`folder must be a string, got ${show(folder)}: saveModel(folder, model)`);
  }
  checkClass(model);
  const normalizer = preprocessing === undefined ? undefined : writePreprocessing(preprocessing);
  await checkContent(folder);
  // First: a layer that cannot be described fails here.
  const artifacts = await artifactsOf(model);
  const made = await makeFolder(folder);
  const weights = new Uint8Array(tf.io.concatenateArrayBuffers([artifacts.weightData as ArrayBuffer].flat()));
  const weightsFile = hashedFile('weights', weights, 'bin');
  const normalizerFile = normalizer && hashedFile('normalizer', Buffer.from(normalizer), 'json');
  const files = normalizerFile ? [weightsFile, normalizerFile] : [weightsFile];
  const shardfit: ShardfitEntry = {
    weightsSha256: sha256(weights),
    ...(normalizerFile && { normalizer: normalizerFile.name }),
  };
  const { modelTopology, weightSpecs, format, generatedBy, convertedBy } = artifacts;
  const manifest = {
    ...{ format, generatedBy, convertedBy, modelTopology },
    weightsManifest: [{ paths: [weightsFile.name], weights: weightSpecs }],
    userDefinedMetadata: { ...artifacts.userDefinedMetadata, shardfit },
  };
  const replaced = await replacedModel(folder);
  try {
    await writeFiles(folder, files, JSON.stringify(manifest));
  } catch (error) {
    await removeFolders(made);
    throw error;
  }
  await removeOlder(
    folder,
    new Set([...files.map(({ name }) => name), MODEL_FILE, ...replaced.files]),
    replaced.savedAt,
  );
}

/**
 * Tells whether a model can be saved to `folder`: it can be made, is empty, or holds a model of `saveModel`'s, and this user
 * may write there.
 *
 * @throws SavedModelError if not.
 */
export async function checkSaveFolder(folder: string): Promise<void> {
  await checkContent(folder);
  // Made and taken away again: nothing else tells for sure whether it can be made.
  const made = await makeFolder(folder);
  await access(folder, constants.W_OK | constants.X_OK).catch(() => {
    throw new SavedModelError(`cannot save to ${folder}: this user may not write there; name another folder`);
  });
  await removeFolders(made);
}

/** Removes empty folders, the last one first. */
async function removeFolders(paths: string[]): Promise<void> {
  for (const path of paths.toReversed()) await rmdir(path).catch(() => undefined);
}

/** @throws SavedModelError if there is something in `folder` that a saved model must not mix with. */
async function checkContent(folder: string): Promise<void> {
  if (folder === '') throw new SavedModelError('cannot save to a folder without a name; name a folder');
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR') throw new SavedModelError(`cannot save to ${folder}: it is a file; name a folder`);
    throw new SavedModelError(`cannot save to ${folder}: ${message}`);
  }
  if (names.every(isOwnFile) && !names.includes(MODEL_FILE)) return;
  const manifest = names.includes(MODEL_FILE)
    ? parseManifest(await readFile(join(folder, MODEL_FILE), 'utf8'))
    : undefined;
  if (manifest && 'userDefinedMetadata' in manifest && manifest.userDefinedMetadata?.shardfit) return;
  const found = names.slice(0, 3).join(', ');
  throw new SavedModelError(
    `cannot save to ${folder}: it holds other files (${found}${names.length > 3 ? ', ...' : ''}); name a new or empty folder, or one with a model that shardfit saved`,
  );
}

async function artifactsOf(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  return artifacts as tf.io.ModelArtifacts;
}

/** A file that is named by its content. */
interface HashedFile {
  name: string;
  content: Uint8Array;
}

function hashedFile(stem: string, content: Uint8Array, extension: string): HashedFile {
  return { name: `${stem}.${sha256(content).slice(0, 16)}.${extension}`, content };
}

/** Writes the files and then the manifest that names them. If that fails, what is new is taken away again. */
async function writeFiles(folder: string, files: HashedFile[], manifest: string): Promise<void> {
  const before = new Set(await readdir(folder));
  try {
    for (const { name, content } of files) await writeWhole(join(folder, name), content);
    await syncFolder(folder);
    await writeWhole(join(folder, MODEL_FILE), manifest);
    await syncFolder(folder);
  } catch (error) {
    const written = files.filter(({ name }) => !before.has(name));
    await Promise.allSettled(written.map(({ name }) => rm(join(folder, name), { force: true })));
    throw error;
  }
}

/** The model that is about to be replaced: its files, and when it was saved. */
async function replacedModel(folder: string): Promise<{ files: string[]; savedAt: number }> {
  const path = join(folder, MODEL_FILE);
  try {
    const manifest = parseManifest(await readFile(path, 'utf8'));
    return { files: 'problem' in manifest ? [] : filesOf(manifest), savedAt: (await stat(path)).mtimeMs };
  } catch {
    return { files: [], savedAt: Number.NEGATIVE_INFINITY };
  }
}

/** Removes files of ours that are not in `kept`. Those newer than `savedAt` may belong to a save that is under way. */
async function removeOlder(folder: string, kept: Set<string>, savedAt: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!isOwnFile(name) || kept.has(name)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && found.mtimeMs < savedAt) await rm(path, { force: true });
  }
}

/** Makes names on the disk last, as fsync on a file does for its content; not every system allows it on a folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
