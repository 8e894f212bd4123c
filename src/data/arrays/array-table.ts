import { DataError } from '../data-error.js';
import type { Table, Target, Task } from '../table.js';
import { readTarget } from '../target.js';
import { rowsOf } from './array-columns.js';
import type { ArrayData } from './array-data.js';

/**
 * A table of an array of rows and an array of what is to be predicted.
 *
 * @param name how the table is called
 * @param y one number for each row: classes if they are whole by their type, else numbers
 * @param task what y is, whatever its type
 * @throws DataError if they do not have the same number of rows, or y is of one class.
 */
export function tableOfArrays(name: string, x: ArrayData, y: ArrayData, task?: Task): Table {
  const labels = labelsOf(y);
  const rows = x.shape[0] as number;
  if (labels.length !== rows) {
    throw new DataError(
      `${x.source} has ${rows} rows and ${y.source} has ${labels.length} labels: each row needs one; take both from the same data`,
    );
  }
  const { columns, features, rowShape } = rowsOf(x);
  return { name, rows, columns, features, rowShape, target: targetOf(y, labels, task) };
}

/**
 * The numbers of an array that holds one for each row.
 *
 * @throws DataError if it holds more.
 */
export function labelsOf({ source, shape, values }: ArrayData): Float32Array | Float64Array {
  if (values.length === shape[0]) return values;
  throw new DataError(
    `${source} has the shape [${shape}], but labels are one number for each row; of one-hot rows take numpy.argmax(labels, axis=1)`,
  );
}

function targetOf(y: ArrayData, labels: Float32Array | Float64Array, task: Task | undefined): Target {
  const kind = task ?? (y.integer ? 'class' : 'number');
  if (kind === 'number') return { kind, name: LABELS, values: Float32Array.from(labels) };
  return readTarget({ source: y.source, name: LABELS, cells: Array.from(labels, String), lines: [] }, kind);
}

/** How the target is called: arrays have no names of columns. */
export const LABELS = 'y';
