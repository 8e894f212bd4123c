/** Operators that move or repeat elements. Transposes and expansions are kept symbolic: elementwise users absorb them. */
import {
  broadcast,
  invertPermutation,
  isIdentity,
  isMoveFree,
  padRank,
  permute,
  type Shape,
  sameShape,
  sizeOf,
} from './shapes.js';
import type { ConstantData, IrType, Value } from './value.js';

export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (sizeOf(x.shape) !== sizeOf(shape)) throw new RangeError(`cannot reshape [${x.shape}] to [${shape}]`);
  if (x.op === 'Reshape') return reshape(x.inputs[0] as Value, shape);
  if (x.splat !== undefined) return x.graph.splat(x.splat, shape, x.dtype);
  if (x.data) return x.graph.constant(x.data, shape, x.dtype);
  // An expanded single element stays one, whatever the shape.
  if (x.op === 'Expand' && sizeOf((x.inputs[0] as Value).shape) === 1)
    return expand(reshape(x.inputs[0] as Value, []), shape);
  return x.graph.node('Reshape', [x], { shape }, { shape, dtype: x.dtype });
}

/** Axis `i` of the result is axis `perm[i]` of `x`. */
export function transpose(x: Value, perm: readonly number[]): Value {
  if (isIdentity(perm)) return x;
  const shape = permute(x.shape, perm);
  if (x.splat !== undefined) return x.graph.splat(x.splat, shape, x.dtype);
  if (x.op === 'Transpose') return transpose(x.inputs[0] as Value, permute(x.attrs.perm as number[], perm));
  if (isMoveFree(x.shape, perm)) return reshape(x, shape);
  if (x.op === 'Expand') {
    const inner = x.inputs[0] as Value;
    return expand(transpose(reshape(inner, padRank(inner.shape, perm.length)), perm), shape);
  }
  return x.graph.node('Transpose', [x], { perm }, { shape, dtype: x.dtype });
}

/** The inner value and permutation of a transposed value. */
export function asTransposed(x: Value): { inner: Value; perm: number[] } | undefined {
  return x.op === 'Transpose' ? { inner: x.inputs[0] as Value, perm: [...(x.attrs.perm as number[])] } : undefined;
}

/** `x` repeated along its axes of size 1 to `shape`. */
export function expand(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcast(x.shape, shape), shape)) throw new RangeError(`cannot expand [${x.shape}] to [${shape}]`);
  if (x.splat !== undefined) return x.graph.splat(x.splat, shape, x.dtype);
  if (x.op === 'Expand') return expand(x.inputs[0] as Value, shape);
  return x.graph.node('Expand', [x], { shape }, { shape, dtype: x.dtype });
}

/** What an expanded value repeats: the smallest value that broadcasts to it. */
export function unexpanded(x: Value): Value {
  if (x.splat !== undefined) return x.graph.splat(x.splat, [], x.dtype);
  return x.op === 'Expand' ? (x.inputs[0] as Value) : x;
}

export function cast(x: Value, dtype: IrType): Value {
  if (x.dtype === dtype) return x;
  if (x.splat !== undefined) return x.graph.splat(castNumber(x.splat, dtype), x.shape, dtype);
  if (x.data && x.data.length <= 1024) return x.graph.constant(castData(x.data, dtype), x.shape, dtype);
  if (x.op === 'Expand') return expand(cast(x.inputs[0] as Value, dtype), x.shape);
  const transposed = asTransposed(x);
  if (transposed) return transpose(cast(transposed.inner, dtype), transposed.perm);
  // bool -> int32 -> float32 is bool -> float32.
  if (x.op === 'Cast' && (x.inputs[0] as Value).dtype === 'bool') return cast(x.inputs[0] as Value, dtype);
  return x.graph.node('Cast', [x], { to: dtype }, { shape: x.shape, dtype });
}

function castNumber(x: number, dtype: IrType): number {
  if (dtype === 'float32') return x;
  return dtype === 'bool' ? Number(x !== 0) : Math.trunc(x);
}

function castData(data: ConstantData, dtype: IrType): ConstantData {
  const numbers = Array.from(data as ArrayLike<number | bigint>, (x) => castNumber(Number(x), dtype));
  if (dtype === 'float32') return Float32Array.from(numbers);
  if (dtype === 'int32') return Int32Array.from(numbers);
  return dtype === 'bool' ? Uint8Array.from(numbers) : BigInt64Array.from(numbers.map(BigInt));
}

/** A piece of `x`: along axis i from `begin[i]` on `size[i]` elements, `step[i]` apart. */
export function slice(x: Value, begin: readonly number[], size: readonly number[], step?: readonly number[]): Value {
  const steps = step ?? x.shape.map(() => 1);
  if (sameShape(x.shape, size) && steps.every((s) => s === 1)) return x;
  if (x.splat !== undefined) return x.graph.splat(x.splat, size, x.dtype);
  const transposed = asTransposed(x);
  if (transposed) {
    const back = invertPermutation(transposed.perm);
    const inner = slice(transposed.inner, permute(begin, back), permute(size, back), permute(steps, back));
    return transpose(inner, transposed.perm);
  }
  const part = x.op === 'Concat' ? slicedPart(x, begin, size, steps) : undefined;
  return part ?? sliceAsItIs(x, begin, size, steps);
}

/** A slice of x itself, not of what it is a transpose of or joined from. */
export function sliceAsItIs(
  x: Value,
  begin: readonly number[],
  size: readonly number[],
  steps: readonly number[],
): Value {
  // Only axes that change are named: ORT copies whole blocks for the others.
  const axes = x.shape.map((_, i) => i).filter((i) => size[i] !== x.shape[i] || steps[i] !== 1);
  if (axes.length === 0) return x;
  const starts = axes.map((i) => begin[i] as number);
  const ends = axes.map((i) => sliceEnd(begin[i] as number, size[i] as number, steps[i] as number));
  const attrs = { starts, ends, axes, steps: axes.map((i) => steps[i] as number) };
  return x.graph.node('Slice', [x], attrs, { shape: [...size], dtype: x.dtype });
}

/** A slice of joined parts that lies within one of them, as a slice of that part. */
function slicedPart(
  joined: Value,
  begin: readonly number[],
  size: readonly number[],
  steps: readonly number[],
): Value | undefined {
  const axis = joined.attrs.axis as number;
  const from = begin[axis] as number;
  const step = steps[axis] as number;
  if (step < 0) return undefined;
  const last = from + ((size[axis] as number) - 1) * step;
  let start = 0;
  for (const part of joined.inputs) {
    const end = start + (part.shape[axis] as number);
    if (from >= start && last < end) {
      return slice(
        part,
        begin.map((b, i) => (i === axis ? b - start : b)),
        size,
        steps,
      );
    }
    start = end;
  }
  return undefined;
}

/** `x` with the order of elements turned around along `axes`. */
export function reverse(x: Value, axes: readonly number[]): Value {
  const begin = x.shape.map((n, i) => (axes.includes(i) ? n - 1 : 0));
  const steps = x.shape.map((n, i) => (axes.includes(i) && n > 1 ? -1 : 1));
  return slice(x, begin, x.shape, steps);
}

function sliceEnd(begin: number, size: number, step: number): number {
  if (step > 0) return begin + (size - 1) * step + 1;
  const last = begin + (size - 1) * step;
  // ONNX counts a negative end from the back; "before the first element" is any far negative number.
  return last === 0 ? -(2 ** 31) : last - 1;
}

/** `x` with `before[i]` and `after[i]` copies of `value` around axis i. */
export function pad(x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
  if ([...before, ...after].every((n) => n === 0)) return x;
  const transposed = asTransposed(x);
  if (transposed) {
    const back = invertPermutation(transposed.perm);
    return transpose(pad(transposed.inner, permute(before, back), permute(after, back), value), transposed.perm);
  }
  const shape = x.shape.map((n, i) => n + (before[i] as number) + (after[i] as number));
  const fill = x.graph.splat(value, [], x.dtype);
  return x.graph.node('Pad', [x, fill], { pads: [...before, ...after] }, { shape, dtype: x.dtype });
}

export function concat(parts: readonly Value[], axis: number): Value {
  const filled = parts.filter((part) => sizeOf(part.shape) > 0);
  const first = filled[0] ?? parts[0];
  if (!first) throw new RangeError('concat needs at least one tensor');
  if (filled.length <= 1) return first;
  const perm = asTransposed(first)?.perm;
  if (perm && filled.every((part) => sameShape(asTransposed(part)?.perm ?? [], perm))) {
    const inner = concat(
      filled.map((part) => part.inputs[0] as Value),
      perm[axis] as number,
    );
    return transpose(inner, perm);
  }
  const total = filled.reduce((sum, part) => sum + (part.shape[axis] as number), 0);
  const shape = first.shape.map((n, i) => (i === axis ? total : n));
  const { splat } = first;
  if (splat !== undefined && filled.every((part) => part.splat === splat)) {
    return first.graph.splat(splat, shape, first.dtype);
  }
  return first.graph.node('Concat', filled, { axis }, { shape, dtype: first.dtype });
}
