import * as tf from '@tensorflow/tfjs';
import { exportOnnx } from '../saved-model/export-onnx.js';
import { loadModel } from '../saved-model/load-model.js';
import { writeOutput } from '../saved-model/write-output.js';
import type { ExportOptions } from './export-command.js';
import type { Interruption } from './interruption.js';
import { checkOutputFile } from './output-file.js';

/**
 * `shardfit export`: a saved model as an ONNX file, which is written whole or not at all.
 *
 * @throws Error if the model cannot be read or exported, or the file cannot be written; the signal's reason.
 */
export async function exportModel({ model: folder, out }: ExportOptions, { signal }: Interruption): Promise<void> {
  await checkOutputFile('--out', out, { model: folder });
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const { model } = await loadModel(folder);
  const onnx = exportOnnx(model);
  signal.throwIfAborted();
  await writeOutput(out, onnx);
}
