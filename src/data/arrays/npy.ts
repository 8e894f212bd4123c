import { DataError } from '../data-error.js';
import type { ArrayData } from './array-data.js';
import { bytesOf, checkFinite, isInteger, readElements } from './elements.js';
import { readNpyHeader } from './npy-header.js';
import { openPacked, type PackedFile } from './packed-file.js';

/**
 * Reads an array that `numpy.save` wrote, maybe gzipped.
 *
 * @throws DataError that says what is wrong with the file.
 */
export async function loadNpy(path: string): Promise<ArrayData> {
  return unpackNpy(await openPacked(path, 'an .npy file'));
}

/** @throws DataError as {@link loadNpy} */
export async function unpackNpy(file: PackedFile): Promise<ArrayData> {
  const { source } = file;
  const { length, type, bigEndian, fortranOrder, shape } = readNpyHeader(source, file.head);
  const count = countOf(source, shape);
  const bytes = await file.unpack(length + count * bytesOf(type));
  const stored = readElements(bytes.subarray(length), type, bigEndian);
  const values = fortranOrder ? lastAxisFastest(stored, shape) : stored;
  checkFinite(source, values, shape);
  return { source, shape, values, integer: isInteger(type), pixels: false };
}

/**
 * How many values an array of this shape has.
 *
 * @throws DataError if it has no axis or no values.
 */
export function countOf(source: string, shape: number[]): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.length === 0) throw new DataError(`${source} holds a single number; an array needs an axis of rows`);
  if (count === 0) throw new DataError(`${source} is an array of shape [${shape}], which has no values`);
  return count;
}

/** Values that lie with the first axis running fastest, with the last one so. */
function lastAxisFastest<Values extends Float32Array | Float64Array>(stored: Values, shape: number[]): Values {
  const values = stored.slice() as Values;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < values.length; to++) {
    values[to] = stored[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      from += strides[axis] as number;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      from -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return values;
}
