import ndarray, { type NdArray } from 'ndarray';
import type { ArrayData } from './array-data.js';
import { loadIdx } from './idx.js';
import { loadNpy } from './npy.js';

/**
 * Reads an array that `numpy.save` wrote (`.npy`, maybe gzipped), as `fit` takes it for x or y.
 *
 * @returns 32-bit floats where those hold every value of the file's type, else 64-bit ones.
 * @throws DataError that says what is wrong with the file: cut short, not of numbers, NaN, ...
 */
export async function readNpy(path: string): Promise<NdArray> {
  return toNdArray(await loadNpy(path));
}

/** Reads an IDX file, the format of the MNIST files, maybe gzipped; pixels as they are, 0 to 255. Otherwise as {@link readNpy}. */
export async function readIdx(path: string): Promise<NdArray> {
  return toNdArray(await loadIdx(path));
}

function toNdArray({ values, shape }: ArrayData): NdArray {
  return ndarray(values, shape);
}
