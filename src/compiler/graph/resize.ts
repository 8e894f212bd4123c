/** Resizing along one axis: each element of the result is a weighted mean of two elements of the input. */
import { add, mul, sub } from './elementwise.js';
import { expand, reshape } from './layout.js';
import { batchMatMul } from './linear.js';
import { reduce } from './reduction.js';
import { dim, sizeOf } from './shapes.js';
import type { Value } from './value.js';

/** Element i of the result is x[low[i]] * (1 - fraction[i]) + x[high[i]] * fraction[i]. */
export interface Interpolation {
  low: number[];
  high: number[];
  fraction: number[];
}

/** How often each element is repeated, if repeating is all there is to do. */
function repeats({ low, fraction }: Interpolation, size: number): number | undefined {
  const times = low.length / size;
  const isRepeat = fraction.every((f) => f === 0) && low.every((from, i) => from === Math.floor(i / times));
  return Number.isInteger(times) && isRepeat ? times : undefined;
}

function isIdentity({ low, fraction }: Interpolation, size: number): boolean {
  return low.length === size && low.every((from, i) => from === i && fraction[i] === 0);
}

/** Shape of x with `inside` in place of the size of `axis`. */
function withAxis(x: Value, axis: number, inside: readonly number[]): number[] {
  return [...x.shape.slice(0, axis), ...inside, ...x.shape.slice(axis + 1)];
}

/** `x` resized along `axis`. */
export function interpolate(x: Value, axis: number, along: Interpolation): Value {
  const size = dim(x.shape, axis);
  if (isIdentity(along, size)) return x;
  const times = repeats(along, size);
  const shape = withAxis(x, axis, [along.low.length]);
  if (times) {
    return reshape(expand(reshape(x, withAxis(x, axis, [size, 1])), withAxis(x, axis, [size, times])), shape);
  }
  const pick = (from: number[]): Value => {
    const indices = x.graph.constant(Int32Array.from(from), [from.length], 'int32');
    return x.graph.node('Gather', [x, indices], { axis }, { shape, dtype: x.dtype });
  };
  const low = pick(along.low);
  if (along.fraction.every((f) => f === 0)) return low;
  const weights = x.shape.map((_, i) => (i === axis ? along.low.length : 1));
  const fraction = x.graph.constant(Float32Array.from(along.fraction), weights, 'float32');
  return add(low, mul(sub(pick(along.high), low), fraction));
}

/** Gradient of `interpolate` for an input with `size` elements along `axis`. */
export function interpolateGradient(dy: Value, axis: number, along: Interpolation, size: number): Value {
  if (isIdentity(along, size)) return dy;
  const times = repeats(along, size);
  if (times) return reduce('ReduceSum', reshape(dy, withAxis(dy, axis, [size, times])), axis + 1);
  const [before, after] = [sizeOf(dy.shape.slice(0, axis)), sizeOf(dy.shape.slice(axis + 1))];
  const length = along.low.length;
  const product = batchMatMul(weightMatrix(dy, along, size), reshape(dy, [before, length, after]), true, false);
  return reshape(product, withAxis(dy, axis, [size]));
}

/** The matrix [length, size] that `interpolate` multiplies with. */
function weightMatrix({ graph }: Value, { low, high, fraction }: Interpolation, size: number): Value {
  const matrix = new Float32Array(low.length * size);
  low.forEach((from, i) => {
    const f = fraction[i] as number;
    const [a, b] = [i * size + from, i * size + (high[i] as number)];
    matrix[a] = (matrix[a] as number) + 1 - f;
    matrix[b] = (matrix[b] as number) + f;
  });
  return graph.constant(matrix, [1, low.length, size], 'float32');
}
