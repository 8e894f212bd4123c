import { DataChoiceError, DataError } from '../data-error.js';
import type { RowPiece } from '../row-piece.js';
import { rowViews } from '../row-piece.js';
import { fitsShape } from '../row-shape.js';
import { rowsOf } from './array-columns.js';
import type { ArrayData } from './array-data.js';
import { labelsOf } from './array-table.js';

/** What a saved model takes. */
export interface ModelRows {
  /** Columns that it was trained on. */
  columns: string[];
  /** Sizes of the axes of its input, without that of the rows. */
  inputShape: (number | null)[];
}

/**
 * All rows of an array, as a model takes them that was trained on one like it.
 *
 * @param y what was to be predicted, if it is known
 * @throws DataError if the model takes other rows, or y has another number of them; DataChoiceError if it takes named columns.
 */
export function arrayFeatures(x: ArrayData, y: ArrayData | undefined, model: ModelRows): RowPiece {
  const { columns, features, rowShape } = rowsOf(x);
  const trained = model.columns;
  if (columns.length !== trained.length || !fitsShape(rowShape, model.inputShape)) {
    throw new DataError(
      `${x.source} has rows of shape [${rowShape}], but the model takes [${model.inputShape}], ${trained.length} values`,
    );
  }
  const other = columns.findIndex((name, index) => name !== trained[index]);
  if (other >= 0) {
    throw new DataChoiceError(
      `${x.source} holds values called ${columns[other]}, ..., and the model was trained on ${trained[other]}, ...; give it data of the kind that it was trained on`,
    );
  }
  const rows = rowViews(features, columns.length);
  const cells = y === undefined ? [] : Array.from(labelsOf(y), String);
  if (y !== undefined && cells.length !== rows.length) {
    throw new DataError(
      `${x.source} has ${rows.length} rows and ${y.source} has ${cells.length} labels: each row needs one`,
    );
  }
  return { rows, cells, places: rows.map((_, row) => `[${row}]`) };
}
