import { endianness } from 'node:os';
import { DataError } from '../data-error.js';
import { LARGEST_FLOAT32 } from '../number-cell.js';
import { placeOf } from './array-data.js';

/** Types of numbers in array files, by NumPy's names: kind and bytes. */
export const ELEMENT_TYPES = ['b1', 'u1', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8', 'f2', 'f4', 'f8'] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

export function isElementType(name: string): name is ElementType {
  return (ELEMENT_TYPES as readonly string[]).includes(name);
}

export function bytesOf(type: ElementType): number {
  return Number(type.slice(1));
}

export function isInteger(type: ElementType): boolean {
  return !type.startsWith('f');
}

/**
 * Bytes as numbers, in their order. The bytes are left as they are.
 *
 * @returns 32-bit floats where those hold every value of the type, else 64-bit ones.
 */
export function readElements(bytes: Uint8Array, type: ElementType, bigEndian: boolean): Float32Array | Float64Array {
  // A copy: typed arrays begin at whole numbers of elements only, and the order of bytes is put right in place.
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  const size = bytesOf(type);
  if (size > 1 && bigEndian !== (endianness() === 'BE')) swap(copy, size);
  const { buffer } = copy;
  switch (type) {
    case 'b1':
      return Float32Array.from(new Uint8Array(buffer), (value) => (value === 0 ? 0 : 1));
    case 'u1':
      return new Float32Array(new Uint8Array(buffer));
    case 'u2':
      return new Float32Array(new Uint16Array(buffer));
    case 'u4':
      return new Float64Array(new Uint32Array(buffer));
    case 'u8':
      return fromBig(new BigUint64Array(buffer));
    case 'i1':
      return new Float32Array(new Int8Array(buffer));
    case 'i2':
      return new Float32Array(new Int16Array(buffer));
    case 'i4':
      return new Float64Array(new Int32Array(buffer));
    case 'i8':
      return fromBig(new BigInt64Array(buffer));
    case 'f2':
      return Float32Array.from(new Uint16Array(buffer), halfFloat);
    case 'f4':
      return new Float32Array(buffer);
    case 'f8':
      return new Float64Array(buffer);
  }
}

function swap(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16();
  else if (size === 4) bytes.swap32();
  else bytes.swap64();
}

/** Whole numbers beyond 2^53 are rounded, as those of a CSV file are. */
function fromBig(values: BigInt64Array | BigUint64Array): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) numbers[index] = Number(values[index]);
  return numbers;
}

/** The number that 16 bits are as an IEEE 754 binary16. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @throws DataError that names the place of the first value that a 32-bit float cannot hold. */
export function checkFinite(source: string, values: Float32Array | Float64Array, shape: number[]): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    // Not true for NaN either.
    if (Math.abs(value) <= LARGEST_FLOAT32) continue;
    const problem = Number.isFinite(value)
      ? 'more than a 32-bit float can hold; scale the values down'
      : 'not a finite number; fill it in or leave its row out';
    throw new DataError(`${source}: the value at ${placeOf(index, shape)} is ${value}, ${problem}`);
  }
}
