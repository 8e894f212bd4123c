import * as tf from '@tensorflow/tfjs';
import { readFeatureRows } from '../data/feature-rows.js';
import type { RowPiece } from '../data/row-piece.js';
import { loadModel } from '../saved-model/load-model.js';
import { writeOutput } from '../saved-model/write-output.js';
import { inputShapeOf } from './input-shape.js';
import type { Interruption } from './interruption.js';
import type { Output } from './output.js';
import { checkOutputFile } from './output-file.js';
import type { PredictOptions } from './predict-command.js';
import { savedColumns } from './saved-columns.js';

/** Bytes of rows that go through the model at a time: many, since it is then computed on all cores. */
const PIECE_BYTES = 2 ** 25;

/**
 * `shardfit predict`: rows in, CSV out. Nothing is printed or written before all rows are predicted.
 *
 * @throws Error if the model or the data cannot be read, or do not fit; the signal's reason.
 */
export async function predict(options: PredictOptions, output: Output, { signal }: Interruption): Promise<void> {
  const { model: folder, data, out } = options;
  if (out !== undefined) await checkOutputFile('--out', out, { files: { '--data': data }, model: folder });
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const saved = await loadModel(folder);
  const preprocessing = savedColumns(folder, saved);
  const { model, predict: predictRows } = saved;
  const lines = [cell(preprocessing.target.name)];
  const taken = { columns: preprocessing.normalizer.columns, inputShape: inputShapeOf(model) };
  const most = Math.max(1, Math.floor(PIECE_BYTES / (4 * taken.columns.length)));
  for await (const rows of inPieces(readFeatureRows(data, taken, { ...options, signal }), most)) {
    for (const value of await predictRows(rows, { signal })) lines.push(cell(value));
  }
  signal.throwIfAborted();
  if (out === undefined) output.line(lines.join('\n'));
  else await writeOutput(out, `${lines.join('\n')}\n`);
}

/** The rows in pieces of `most`, the last of which may have fewer. */
async function* inPieces(pieces: AsyncIterable<RowPiece>, most: number): AsyncGenerator<ArrayLike<number>[]> {
  let gathered: ArrayLike<number>[] = [];
  for await (const { rows } of pieces) {
    for (const row of rows) {
      if (gathered.length === most) {
        yield gathered;
        gathered = [];
      }
      gathered.push(row);
    }
  }
  if (gathered.length > 0) yield gathered;
}

/** A cell by RFC 4180: in quotes where it needs them. */
function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
