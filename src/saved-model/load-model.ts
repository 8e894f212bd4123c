import { type FileHandle, open, readFile, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { buildModel } from './build-model.js';
import { filesOf, type Manifest, MODEL_FILE, parseManifest, weightSpecsOf } from './manifest.js';
import { normalizeRows, type PredictRowsOptions, predictRows, type RawRows } from './predict.js';
import { type Preprocessing, parsePreprocessing } from './preprocessing.js';
import { SavedModelError } from './saved-model-error.js';
import { sha256 } from './weight-bytes.js';

const BYTES = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2, complex64: 8, string: Number.NaN };

export interface SavedModel {
  /** The model with its weights, not compiled. */
  model: tf.LayersModel;
  /** What its rows must go through first; absent if the model was saved without. */
  preprocessing?: Preprocessing | undefined;
  /**
   * Predicts the target of raw rows, as they stand in the table: one class label or number for each.
   *
   * @throws SavedModelError if the model was saved without preprocessing; TypeError or RangeError for rows that do not fit.
   */
  predict(rows: RawRows, options?: PredictRowsOptions): Promise<(string | number)[]>;
  /**
   * Raw rows as `model.predict` takes them, [rows, ...input]. The caller disposes of the tensor.
   *
   * @throws as `predict`.
   */
  normalize(rows: RawRows): tf.Tensor;
}

/**
 * Loads a model that was saved by `saveModel`, `shardfit train --save` or tfjs, with its preprocessing.
 *
 * @throws SavedModelError if a file is missing, cut short, changed, or lies outside of the folder, or what it holds is no model.
 */
export async function loadModel(folder: string): Promise<SavedModel> {
  const { manifest, weightData, preprocessing } = await readFolder(folder);
  const model = await buildModel(artifactsOf(manifest, weightData)).catch((error: Error) => {
    throw new SavedModelError(
      `${join(folder, MODEL_FILE)} does not make a model: ${error.message}; save the model again`,
      { cause: error },
    );
  });
  const needed = () => {
    if (preprocessing) return preprocessing;
    throw new SavedModelError(`the model in ${folder} was saved without preprocessing; call model.predict of tfjs`);
  };
  return {
    model,
    preprocessing,
    predict: async (rows, options) => predictRows(model, needed(), rows, options),
    normalize: (rows) => normalizeRows(model, needed(), rows),
  };
}

/** A handler for `tf.loadLayersModel`, with the checks of {@link loadModel}. */
export function modelFolder(folder: string): tf.io.IOHandler {
  return {
    load: async () => {
      const { manifest, weightData } = await readFolder(folder);
      return artifactsOf(manifest, weightData);
    },
  };
}

interface FolderContent {
  manifest: Manifest;
  weightData: ArrayBuffer;
  preprocessing?: Preprocessing | undefined;
}

async function readFolder(folder: string): Promise<FolderContent> {
  let manifest = await readManifest(folder);
  for (;;) {
    try {
      return await readParts(folder, manifest.text);
    } catch (error) {
      // Two saves since model.json was read remove the files that it names: then there is a newer one to start from.
      const newer = await readManifest(folder);
      if (newer.version === manifest.version) throw error;
      manifest = newer;
    }
  }
}

/** model.json, and what tells it from one that was saved at another time, even if they say the same. */
async function readManifest(folder: string): Promise<{ text: string; version: string }> {
  let file: FileHandle | undefined;
  try {
    file = await open(join(folder, MODEL_FILE));
    const { ino, mtimeNs } = await file.stat({ bigint: true });
    return { text: await file.readFile('utf8'), version: `${ino} ${mtimeNs}` };
  } catch (error) {
    throw readError(folder, MODEL_FILE, error);
  } finally {
    await file?.close();
  }
}

async function readParts(folder: string, text: string): Promise<FolderContent> {
  const manifest = parseManifest(text);
  if ('problem' in manifest) throw new SavedModelError(`${join(folder, MODEL_FILE)} ${manifest.problem}`);
  for (const name of filesOf(manifest)) await checkInside(folder, name);
  const weightData = await readWeights(folder, manifest);
  return { manifest, weightData, preprocessing: await readPreprocessing(folder, manifest) };
}

async function readWeights(folder: string, manifest: Manifest): Promise<ArrayBuffer> {
  const paths = manifest.weightsManifest.flatMap((group) => group.paths);
  const expected = weightSpecsOf(manifest).reduce((sum, spec) => sum + bytesOf(spec), 0);
  const parts: Buffer[] = [];
  // One by one: a manifest may name more files than a process may have open, or more than there should be.
  let length = 0;
  for (const name of paths) {
    const part = await readPart(folder, name);
    parts.push(part);
    length += part.length;
    if (length > expected) break;
  }
  const bytes = Buffer.concat(parts);
  // Quantized or string weights, which others may have written, are measured by tfjs itself.
  if (Number.isFinite(expected) && bytes.length !== expected) {
    throw new SavedModelError(
      `${shown(paths)} in ${folder} should hold ${expected} bytes, got ${bytes.length}: cut short or of another model; save the model again`,
    );
  }
  const hash = manifest.userDefinedMetadata?.shardfit?.weightsSha256;
  if (hash !== undefined && sha256(bytes) !== hash) {
    throw new SavedModelError(
      `${shown(paths)} in ${folder} is not what model.json was saved with; save the model again`,
    );
  }
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function shown(names: string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')}, ...` : names.join(', ');
}

function bytesOf(spec: tf.io.WeightsManifestEntry): number {
  if (spec.quantization) return Number.NaN;
  return spec.shape.reduce((product, size) => product * size, 1) * BYTES[spec.dtype];
}

async function readPreprocessing(folder: string, manifest: Manifest): Promise<Preprocessing | undefined> {
  const name = manifest.userDefinedMetadata?.shardfit?.normalizer;
  if (name === undefined) return undefined;
  const bytes = await readPart(folder, name);
  const [, hash] = name.split('.');
  if (hash === undefined || !sha256(bytes).startsWith(hash)) {
    throw new SavedModelError(`${join(folder, name)} is not what model.json was saved with; save the model again`);
  }
  const preprocessing = parsePreprocessing(bytes.toString('utf8'));
  if ('problem' in preprocessing) throw new SavedModelError(`${join(folder, name)} ${preprocessing.problem}`);
  return preprocessing;
}

function readPart(folder: string, name: string): Promise<Buffer> {
  return readFile(join(folder, name)).catch((error) => {
    throw readError(folder, name, error);
  });
}

/** A model.json from elsewhere could name any file of this machine. */
async function checkInside(folder: string, name: string): Promise<void> {
  const outside = () =>
    new SavedModelError(
      `${join(folder, MODEL_FILE)} names the file '${name}', which is not in its folder; do not trust it`,
    );
  if (name !== basename(name) || name.includes('\\') || name === '..' || name === '.') throw outside();
  const real = await realpath(join(folder, name)).catch(() => undefined);
  // A file that is missing is told when it is read.
  if (real !== undefined && real !== join(await realpath(folder), name)) throw outside();
}

function readError(folder: string, name: string, error: unknown): SavedModelError {
  const { code, message } = error as NodeJS.ErrnoException;
  const path = resolve(folder, name);
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return new SavedModelError(`${path} cannot be read: ${message}`);
  const remedy =
    name === MODEL_FILE ? 'name a folder with a saved model' : 'the saved model is not complete; save it again';
  return new SavedModelError(`${path} does not exist; ${remedy}`);
}

function artifactsOf(manifest: Manifest, weightData: ArrayBuffer): tf.io.ModelArtifacts {
  const { modelTopology } = manifest;
  const userDefinedMetadata = (manifest.userDefinedMetadata ?? {}) as Record<string, object>;
  return { modelTopology, weightSpecs: weightSpecsOf(manifest), weightData, userDefinedMetadata };
}
