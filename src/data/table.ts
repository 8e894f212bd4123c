/** A data set in memory: rows of numbers and, for each row, what is to be predicted. */
export interface Table {
  /** What the table was asked for by: the name of a built-in data set or a path. */
  name: string;
  rows: number;
  /** Names of the feature columns, in the order of the values of a row. */
  columns: string[];
  /** One row behind the other, [rows, columns.length]; in a precision that loses nothing before normalization. */
  features: Float64Array | Float32Array;
  /** Sizes of the axes of a row, where the data has more of them than one. */
  rowShape?: number[];
  target: Target;
}

/** What a column to be predicted can be. */
export type Task = 'class' | 'number';

export type Target = NumberTarget | ClassTarget;

export interface NumberTarget {
  kind: 'number';
  name: string;
  /** [rows] */
  values: Float32Array;
}

export interface ClassTarget {
  kind: 'class';
  name: string;
  /** Labels, sorted: class k is `classes[k]`. */
  classes: string[];
  /** Index of each row's class, [rows]. */
  values: Int32Array;
}

/** Pieces of rows, one behind the other. */
export function joinRows(pieces: Float64Array[]): Float64Array {
  const joined = new Float64Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
