import * as tf from '@tensorflow/tfjs';
import { show } from '../common/show.js';
import { NotTraceable } from '../compiler/index.js';
import { normalize } from '../data/normalizer.js';
import { multiplicationsOf } from './multiplications.js';
import type { Preprocessing } from './preprocessing.js';

/** Multiplications for which tfjs needs longer on its one core than threads need to start and the model to be compiled. */
const LARGE = 2e8;

/** Rows that a thread takes at a time: enough for fast products, and few enough for all threads to have some. */
const BATCH = 128;

/** Options of a loaded model's `predict`. */
export interface PredictRowsOptions {
  /** Ends the prediction, which then rejects with its reason. */
  signal?: AbortSignal;
}

/** Rows as they stand in a table, [rows, columns]: raw numbers, in the order of `preprocessing.normalizer.columns`. */
export type RawRows = ArrayLike<number>[];

/**
 * Brings raw rows into the form in which the model takes them: normalized, in the shape of its input. The caller disposes of
 * the tensor.
 *
 * @returns [rows, ...input]
 * @throws TypeError if there are no rows, or RangeError if one has another number of values or a value that is not finite.
 */
export function normalizeRows(model: tf.LayersModel, { normalizer }: Preprocessing, rows: RawRows): tf.Tensor {
  const { columns } = normalizer;
  if (!Array.isArray(rows) || rows.length === 0) throw new TypeError('rows must be an array of one row or more');
  rows.forEach((row, index) => {
    checkRow(row, index, columns);
  });
  const flat = Float64Array.from({ length: rows.length * columns.length }, (_, at) => {
    return (rows[Math.floor(at / columns.length)] as ArrayLike<number>)[at % columns.length] as number;
  });
  const [input] = model.inputs as [tf.SymbolicTensor];
  return tf.tensor(normalize(normalizer, flat), [rows.length, ...(input.shape.slice(1) as number[])]);
}

function checkRow(row: ArrayLike<number>, index: number, columns: string[]): void {
  const width = row?.length;
  if (width !== columns.length) {
    throw new RangeError(
      `rows[${index}] must have ${columns.length} values (${shown(columns)}), got ${width ?? typeof row}`,
    );
  }
  const bad = columns.findIndex((_, column) => !Number.isFinite(row[column]));
  if (bad >= 0)
    throw new RangeError(`rows[${index}], '${columns[bad]}' must be a finite number, got ${show(row[bad])}`);
}

function shown(columns: string[]): string {
  return columns.length > 6 ? `${columns.slice(0, 6).join(', ')}, ...` : columns.join(', ');
}

/**
 * Predicts the target of raw rows: the number, or the label of the class with the largest output. One output alone tells two
 * classes apart: above 0.5 it is the second. Where there is much to compute, on all cores.
 *
 * @returns one label or number for each row.
 * @throws as {@link normalizeRows}, and the signal's reason.
 */
export async function predictRows(
  model: tf.LayersModel,
  preprocessing: Preprocessing,
  rows: RawRows,
  options: PredictRowsOptions = {},
): Promise<(string | number)[]> {
  const x = normalizeRows(model, preprocessing, rows);
  const output = await outputOf(model, x, options).finally(() => x.dispose());
  try {
    const values = await output.data();
    const width = values.length / rows.length;
    const { classes } = preprocessing.target;
    return rows.map((_, row) => {
      const outputs = values.subarray(row * width, (row + 1) * width);
      return classes ? (classes[indexOfClass(outputs)] as string) : (outputs[0] as number);
    });
  } finally {
    output.dispose();
  }
}

/** Which way is taken depends on the model and the number of rows alone, so that the numbers are the same each time. */
async function outputOf(model: tf.LayersModel, x: tf.Tensor, { signal }: PredictRowsOptions): Promise<tf.Tensor> {
  signal?.throwIfAborted();
  const rows = x.shape[0] as number;
  if (rows > BATCH && rows * multiplicationsOf(model) >= LARGE) {
    // Only where it is needed: it takes a while to load.
    const { predict } = await import('../coordinator/predict.js');
    try {
      return (await predict(model, x, { engine: 'onnx', batchSize: BATCH, ...(signal && { signal }) })) as tf.Tensor;
    } catch (error) {
      if (!(error instanceof NotTraceable)) throw error;
    }
  }
  return tf.tidy(() => model.predict(x) as tf.Tensor);
}

function indexOfClass(outputs: ArrayLike<number>): number {
  if (outputs.length === 1) return (outputs[0] as number) > 0.5 ? 1 : 0;
  return Array.from(outputs).reduce((best, value, index) => (value > (outputs[best] as number) ? index : best), 0);
}
