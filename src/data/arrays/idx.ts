import { DataError } from '../data-error.js';
import type { ArrayData } from './array-data.js';
import { bytesOf, checkFinite, type ElementType, isInteger, readElements } from './elements.js';
import { countOf } from './npy.js';
import { openPacked } from './packed-file.js';

/** Types by the third byte of the file. */
const TYPES: Record<number, ElementType> = { 8: 'u1', 9: 'i1', 11: 'i2', 12: 'i4', 13: 'f4', 14: 'f8' };

/**
 * Reads an IDX file, the format of the MNIST files, maybe gzipped: two zeros, the type, the number of axes, the size of each,
 * and the values, all of it big-endian. Bytes in three axes or more are pixels.
 *
 * Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits", 1998, "File formats".
 *
 * @throws DataError that says what is wrong with the file.
 */
export async function loadIdx(path: string): Promise<ArrayData> {
  const file = await openPacked(path, 'an IDX file');
  const { type, shape } = readHeader(path, file.head);
  const start = 4 + 4 * shape.length;
  const bytes = await file.unpack(start + countOf(path, shape) * bytesOf(type));
  const values = readElements(bytes.subarray(start), type, true);
  checkFinite(path, values, shape);
  return { source: path, shape, values, integer: isInteger(type), pixels: type === 'u1' && shape.length > 2 };
}

function readHeader(path: string, head: Uint8Array): { type: ElementType; shape: number[] } {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  const [first, second, typeCode = 0, axes = 0] = bytes;
  const type = TYPES[typeCode];
  if (first !== 0 || second !== 0 || type === undefined) {
    throw new DataError(
      `${path} is not an IDX file: its first bytes are ${bytes.toString('hex', 0, 4)}, not 0000 and a type; is it what its name says?`,
    );
  }
  if (bytes.length < 4 + 4 * axes) throw new DataError(`${path} is cut short in its header; copy or write it again`);
  return { type, shape: Array.from({ length: axes }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis)) };
}
