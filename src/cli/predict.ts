import * as tf from '@tensorflow/tfjs';
import { readFeatureRows } from '../data/feature-rows.js';
import { loadModel } from '../saved-model/load-model.js';
import { writeWhole } from '../saved-model/write-whole.js';
import { inputShapeOf } from './input-shape.js';
import type { Interruption } from './interruption.js';
import type { Output } from './output.js';
import type { PredictOptions } from './predict-command.js';
import { savedColumns } from './saved-columns.js';

/** Rows that go through the model at a time. */
const PIECE = 1024;

/**
 * `shardfit predict`: rows in, CSV out. Nothing is printed or written before all rows are predicted.
 *
 * @throws Error if the model or the data cannot be read, or do not fit; the signal's reason.
 */
export async function predict(options: PredictOptions, output: Output, { signal }: Interruption): Promise<void> {
  const { model: folder, data, out } = options;
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const saved = await loadModel(folder);
  const preprocessing = savedColumns(folder, saved);
  const { model, predict: predictRows } = saved;
  const lines = [cell(preprocessing.target.name)];
  const taken = { columns: preprocessing.normalizer.columns, inputShape: inputShapeOf(model) };
  for await (const { rows } of readFeatureRows(data, taken, { ...options, signal })) {
    for (let start = 0; start < rows.length; start += PIECE) {
      lines.push(...(await predictRows(rows.slice(start, start + PIECE))).map(cell));
    }
  }
  signal.throwIfAborted();
  if (out === undefined) output.line(lines.join('\n'));
  else await writeWhole(out, `${lines.join('\n')}\n`);
}

/** A cell by RFC 4180: in quotes where it needs them. */
function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
