import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import writeFileAtomic from 'write-file-atomic';
import { filesOf, isOwnFile, MODEL_FILE, parseManifest, type ShardfitEntry } from './manifest.js';
import { type Preprocessing, writePreprocessing } from './preprocessing.js';
import { SavedModelError } from './saved-model-error.js';
import { sha256 } from './weight-bytes.js';

/**
 * Saves a model to a folder in the layout of tfjs' `model.save()`, with its preprocessing beside it.
 *
 * A reader finds the older model or the new one, never a mixture, at whatever point the process is killed: weights and
 * normalizer get new names of their own, and `model.json`, which names them, takes the place of the older one in a single
 * rename once they are on the disk. The files of the model that was replaced stay until the next save, for readers that
 * have just opened it.
 *
 * @throws SavedModelError if `folder` is a file or holds something other than a model saved by this function.
 */
export async function saveModel(folder: string, model: tf.LayersModel, preprocessing?: Preprocessing): Promise<void> {
  await checkSaveFolder(folder);
  await mkdir(folder, { recursive: true });
  const artifacts = await artifactsOf(model);
  const weights = new Uint8Array(tf.io.concatenateArrayBuffers([artifacts.weightData as ArrayBuffer].flat()));
  const weightsFile = await writeHashed(folder, 'weights', 'bin', weights);
  const normalizer =
    preprocessing && (await writeHashed(folder, 'normalizer', 'json', Buffer.from(writePreprocessing(preprocessing))));
  const shardfit: ShardfitEntry = { weightsSha256: sha256(weights), ...(normalizer && { normalizer }) };
  const { modelTopology, weightSpecs, format, generatedBy, convertedBy } = artifacts;
  const manifest = {
    ...{ format, generatedBy, convertedBy, modelTopology },
    weightsManifest: [{ paths: [weightsFile], weights: weightSpecs }],
    userDefinedMetadata: { ...artifacts.userDefinedMetadata, shardfit },
  };
  const replaced = await replacedModel(folder);
  await syncFolder(folder);
  await writeFileAtomic(join(folder, MODEL_FILE), JSON.stringify(manifest));
  await syncFolder(folder);
  await removeOlder(folder, new Set([weightsFile, normalizer, MODEL_FILE, ...replaced.files]), replaced.savedAt);
}

/**
 * Tells whether a model may be saved to `folder`: it does not exist yet, is empty, or holds a model of `saveModel`'s.
 *
 * @throws SavedModelError if not.
 */
export async function checkSaveFolder(folder: string): Promise<void> {
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

/** Writes a file that is named by its content, through to the disk. Returns its name. */
async function writeHashed(folder: string, stem: string, extension: string, content: Uint8Array): Promise<string> {
  const name = `${stem}.${sha256(content).slice(0, 16)}.${extension}`;
  await writeFileAtomic(join(folder, name), Buffer.from(content.buffer, content.byteOffset, content.byteLength));
  return name;
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
async function removeOlder(folder: string, kept: Set<string | undefined>, savedAt: number): Promise<void> {
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
