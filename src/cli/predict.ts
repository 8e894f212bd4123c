import * as tf from '@tensorflow/tfjs';
import { readCsvFeatures } from '../data/csv-features.js';
import { loadModel } from '../saved-model/load-model.js';
import { writeWhole } from '../saved-model/write-whole.js';
import type { Output } from './output.js';
import type { PredictOptions } from './predict-command.js';
import { UsageError } from './usage-error.js';

/** Rows that go through the model at a time. */
const PIECE = 1024;

/**
 * `shardfit predict`: CSV in, CSV out. Nothing is printed or written before all rows are predicted.
 *
 * @throws Error if the model or the data cannot be read, or do not fit.
 */
export async function predict({ model: folder, data, out }: PredictOptions, output: Output): Promise<void> {
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const { preprocessing, predict: predictRows } = await loadModel(folder);
  if (!preprocessing) {
    throw new UsageError(`the model in ${folder} was saved without its columns: save it with shardfit train --save`);
  }
  const lines = [cell(preprocessing.target.name)];
  for await (const rows of readCsvFeatures(data, preprocessing.normalizer.columns, PIECE)) {
    lines.push(...(await predictRows(rows)).map(cell));
  }
  if (out === undefined) output.line(lines.join('\n'));
  else await writeWhole(out, `${lines.join('\n')}\n`);
}

/** A cell by RFC 4180: in quotes where it needs them. */
function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
