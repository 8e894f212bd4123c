import * as tf from '@tensorflow/tfjs';
import type { NdArray } from 'ndarray';
import { type ArenaArray, allocate } from '../common/arena.js';
import type { DType } from '../common/program.js';
import { show } from '../common/show.js';

/** Axes of a tensor at most, in tfjs. */
const MOST_AXES = 6;

/** Nested arrays of numbers, rows first. */
export type NestedArray = ArrayLike<number | boolean> | readonly NestedArray[];

/** One array of rows. */
export type ArrayInput = tf.Tensor | NdArray | NestedArray;

/** What `fit` takes for x or y: one array, or for several inputs or outputs a list in their order or an object by name. */
export type TensorInput = ArrayInput | ArrayInput[] | Record<string, ArrayInput>;

/** Rows in memory: the first axis of `shape` counts them. */
export interface Rows {
  data: ArenaArray;
  shape: number[];
  dtype: DType;
}

/**
 * Reads one array of rows, whatever its form.
 *
 * @param name what to call it in errors: `x`, `y`, `validationData[0]`, ...
 * @throws TypeError if it is not an array of numbers, RangeError if rows have different lengths or it is empty.
 */
export async function readRows(name: string, input: ArrayInput): Promise<Rows> {
  const rows = await convert(name, input);
  if (rows.shape.length === 0) throw new TypeError(`${name} must be an array of rows, got a single number`);
  if (rows.data.length === 0) throw new RangeError(`${name} has no values: its shape is [${rows.shape}]`);
  checkFinite(name, rows, input);
  return rows;
}

/** Whether a value is an object of entries by name, not an array, a tensor or an ndarray. */
export function isPlainObject(value: TensorInput): value is Record<string, ArrayInput> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

async function convert(name: string, input: ArrayInput): Promise<Rows> {
  if (input instanceof tf.Tensor) return fromTensor(name, input);
  if (isNdArray(input)) return fromNdArray(name, input);
  if (ArrayBuffer.isView(input) || Array.isArray(input)) return fromNested(name, input as NestedArray);
  throw new TypeError(`${name} must be a tf.Tensor, an ndarray or nested arrays of numbers, got ${describe(input)}`);
}

async function fromTensor(name: string, tensor: tf.Tensor): Promise<Rows> {
  if (tensor.isDisposed) throw new TypeError(`${name} is a tensor that has been disposed`);
  if (tensor.dtype !== 'float32' && tensor.dtype !== 'int32' && tensor.dtype !== 'bool') {
    throw new TypeError(`${name} must be a float32, int32 or bool tensor, got ${tensor.dtype}`);
  }
  return { data: (await tensor.data()) as ArenaArray, shape: [...tensor.shape], dtype: tensor.dtype };
}

/** Whether a value is an array of the package ndarray, whichever copy of it made it. */
export function isNdArray(value: unknown): value is NdArray {
  const array = value as Partial<NdArray> | null;
  return (
    typeof array === 'object' &&
    array !== null &&
    Array.isArray(array.shape) &&
    Array.isArray(array.stride) &&
    'offset' in array
  );
}

function fromNdArray(name: string, array: NdArray): Rows {
  const { shape, dtype } = array;
  if (dtype === 'array' ? !Array.isArray(array.data) : !ArrayBuffer.isView(array.data)) {
    throw new TypeError(`${name} must be an ndarray of numbers over a typed array, got dtype '${dtype}'`);
  }
  const target: DType = dtype === 'int32' ? 'int32' : 'float32';
  const data = allocate(target, array.size);
  const source = array.data as unknown as ArrayLike<number>;
  const index = shape.map(() => 0);
  let position = array.offset;
  for (let i = 0; i < data.length; i++) {
    data[i] = source[position] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = array.stride[axis] as number;
      const next = (index[axis] as number) + 1;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        position += stride;
        break;
      }
      position -= stride * (next - 1);
      index[axis] = 0;
    }
  }
  return { data, shape: [...shape], dtype: target };
}

function fromNested(name: string, input: NestedArray): Rows {
  const shape: number[] = [];
  for (let level: unknown = input; isArrayLike(level); level = level[0]) {
    if (shape.length === MOST_AXES) {
      throw new TypeError(`${name} is nested more than ${MOST_AXES} deep: an array in it may hold itself`);
    }
    shape.push(level.length);
  }
  const data = allocate(
    'float32',
    shape.reduce((a, b) => a * b, 1),
  );
  const path: number[] = [];
  let next = 0;
  const copy = (level: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof level !== 'number' && typeof level !== 'boolean') throw notANumber(name, path, level);
      data[next++] = Number(level);
      return;
    }
    if (!isArrayLike(level) || level.length !== shape[axis]) throw ragged(name, path, level, shape[axis]);
    for (let i = 0; i < level.length; i++) {
      path[axis] = i;
      copy(level[i], axis + 1);
    }
    path.length = axis;
  };
  copy(input, 0);
  return { data, shape, dtype: 'float32' };
}

function notANumber(name: string, path: number[], value: unknown): TypeError {
  return new TypeError(`${at(name, path)} must be a number, got ${describe(value)}`);
}

function ragged(name: string, path: number[], value: unknown, length = 0): RangeError {
  const got = isArrayLike(value) ? `${value.length}` : describe(value);
  return new RangeError(`${at(name, path)} must have ${length} entries like the first, got ${got}`);
}

function at(name: string, path: number[]): string {
  return name + path.map((index) => `[${index}]`).join('');
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function checkFinite(name: string, { data, shape, dtype }: Rows, input: ArrayInput): void {
  if (dtype !== 'float32') return;
  let index = 0;
  // There may be hundreds of millions: `findIndex` takes seven times as long.
  while (index < data.length && Number.isFinite(data[index])) index++;
  if (index === data.length) return;
  const rowSize = data.length / (shape[0] as number);
  const row = Math.floor(index / rowSize);
  const inRow = name.includes(' ') ? `${name}, row ${row}` : `${name}[${row}]`;
  const place = rowSize > 1 ? `${inRow}, value ${index % rowSize}` : inRow;
  const given = givenAt(input, shape, index);
  if (Number.isFinite(given)) {
    throw new RangeError(`${place} is ${given}, more than a 32-bit float can hold: scale the numbers down`);
  }
  throw new RangeError(`${place} is ${data[index]}: numbers must be finite; remove such rows or fill them in`);
}

/** The value that the caller gave, before it became a 32-bit float. */
function givenAt(input: ArrayInput, shape: number[], index: number): unknown {
  const path: number[] = [];
  for (const size of shape.toReversed()) {
    path.unshift(index % size);
    index = Math.floor(index / size);
  }
  if (input instanceof tf.Tensor) return undefined;
  if (isNdArray(input)) return input.get(...path);
  return path.reduce<unknown>((level, i) => (level as ArrayLike<unknown>)[i], input);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object'
    ? `an object of ${value.constructor?.name ?? 'no class'}`
    : `${typeof value} ${show(value)}`;
}
