import { DataError } from '../data-error.js';
import type { ArrayData } from './array-data.js';

/** A normalizer with a mean and a scale for each value of a row is kept in memory and in one file. */
const MOST_COLUMNS = 2 ** 22;

/** An array as rows of named columns. */
export interface ArrayRows {
  /** `pixel_ROW_COLUMN` for images of one colour, as in the built-in data; else `pixel_0`, ... or `x_0`, ... */
  columns: string[];
  /** [rows, columns.length]; pixels in [0, 1], as in the built-in mnist */
  features: Float32Array | Float64Array;
  rowShape: number[];
}

/** @throws DataError if a row has too many values. */
export function rowsOf({ source, shape, values, pixels }: ArrayData): ArrayRows {
  const rowShape = shape.slice(1);
  const width = rowShape.reduce((product, size) => product * size, 1);
  if (width > MOST_COLUMNS) {
    throw new DataError(
      `${source} has rows of ${width} values, more than ${MOST_COLUMNS}: its first axis must count the rows; transpose it`,
    );
  }
  const features = pixels ? values.map((value) => value / 255) : values;
  return { columns: namesOf(width, rowShape, pixels), features, rowShape };
}

function namesOf(width: number, rowShape: number[], pixels: boolean): string[] {
  const [, across] = rowShape;
  if (pixels && rowShape.length === 2 && across !== undefined) {
    return Array.from({ length: width }, (_, at) => `pixel_${Math.floor(at / across)}_${at % across}`);
  }
  return Array.from({ length: width }, (_, at) => `${pixels ? 'pixel' : 'x'}_${at}`);
}
