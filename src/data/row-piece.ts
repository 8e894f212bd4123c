/** Some rows of a file, as a saved model needs them. */
export interface RowPiece {
  /** Values of the columns that were asked for, in that order. */
  rows: ArrayLike<number>[];
  /** What stands in the target column, if that was asked for, else empty. */
  cells: string[];
  /** Where each row stands, for messages: `line 3`. */
  places: string[];
}

/** What is read of each row. */
export interface RowChoice {
  /** Names of the columns, which must be numbers. */
  columns: string[];
  /** Name of the column with what was to be predicted. */
  target?: string | undefined;
}

/** A view of each of the rows that lie one behind the other in an array. */
export function rowViews(values: Float32Array | Float64Array, width: number): ArrayLike<number>[] {
  return Array.from({ length: values.length / width }, (_, row) => values.subarray(row * width, (row + 1) * width));
}
