import * as tf from '@tensorflow/tfjs';
import { normalize } from '../data/normalizer.js';
import type { Preprocessing } from './preprocessing.js';

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
  if (bad >= 0) throw new RangeError(`rows[${index}], '${columns[bad]}' must be a finite number, got ${row[bad]}`);
}

function shown(columns: string[]): string {
  return columns.length > 6 ? `${columns.slice(0, 6).join(', ')}, ...` : columns.join(', ');
}

/**
 * Predicts the target of raw rows: the number, or the label of the class with the largest output. One output alone tells two
 * classes apart: above 0.5 it is the second.
 *
 * @returns one label or number for each row.
 * @throws as {@link normalizeRows}
 */
export async function predictRows(
  model: tf.LayersModel,
  preprocessing: Preprocessing,
  rows: RawRows,
): Promise<(string | number)[]> {
  const output = tf.tidy(() => model.predict(normalizeRows(model, preprocessing, rows)) as tf.Tensor);
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

function indexOfClass(outputs: ArrayLike<number>): number {
  if (outputs.length === 1) return (outputs[0] as number) > 0.5 ? 1 : 0;
  return Array.from(outputs).reduce((best, value, index) => (value > (outputs[best] as number) ? index : best), 0);
}
