/** tfjs kernels that move, repeat, cut and join elements, and those that make constants. */
import { binary, mul, scalar } from '../graph/elementwise.js';
import { cast, concat, expand, pad, reshape, reverse, slice, transpose } from '../graph/layout.js';
import { normalizeAxes } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { input, inputList, type KernelRule, type KernelTable } from './rule.js';
import { type StridedSliceAttrs, stridedSlice } from './strided-slice.js';

/** `x` repeated `reps[i]` times along axis i; axes of size 1 repeat for free. */
function tile(x: Value, reps: readonly number[]): Value {
  const shape = x.shape.map((n, i) => n * (reps[i] as number));
  const spread = expand(
    x,
    x.shape.map((n, i) => (n === 1 ? (reps[i] as number) : n)),
  );
  const left = x.shape.map((n, i) => (n === 1 ? 1 : (reps[i] as number)));
  if (left.every((n) => n === 1)) return spread;
  return x.graph.node('Tile', [spread], { repeats: left }, { shape, dtype: x.dtype });
}

const sliceRule: KernelRule = (inputs, attrs) => {
  const x = input(inputs, 'x');
  const begin: number[] = typeof attrs.begin === 'number' ? [attrs.begin] : attrs.begin;
  const given: number[] = typeof attrs.size === 'number' ? [attrs.size] : attrs.size;
  const starts = x.shape.map((_, i) => begin[i] ?? 0);
  const size = x.shape.map((n, i) => ((given[i] ?? -1) < 0 ? n - (starts[i] as number) : (given[i] as number)));
  return slice(x, starts, size);
};

const padRule: KernelRule = (inputs, attrs) => {
  const paddings: [number, number][] = attrs.paddings;
  const before = paddings.map(([n]) => n);
  const after = paddings.map(([, n]) => n);
  return pad(input(inputs, 'x'), before, after, attrs.constantValue ?? 0);
};

const split: KernelRule = (inputs, attrs) => {
  const x = input(inputs, 'x');
  const [axis] = normalizeAxes(attrs.axis ?? 0, x.shape.length) as [number];
  const n = x.shape[axis] as number;
  const given: number[] =
    typeof attrs.numOrSizeSplits === 'number'
      ? new Array(attrs.numOrSizeSplits).fill(n / attrs.numOrSizeSplits)
      : attrs.numOrSizeSplits;
  const known = given.reduce((sum, size) => sum + Math.max(0, size), 0);
  let at = 0;
  return given.map((size) => {
    const length = size < 0 ? n - known : size;
    const begin = x.shape.map((_, i) => (i === axis ? at : 0));
    at += length;
    return slice(
      x,
      begin,
      x.shape.map((m, i) => (i === axis ? length : m)),
    );
  });
};

const pack: KernelRule = (inputs, attrs) => {
  const parts = inputList(inputs);
  const first = parts[0] as Value;
  const [axis] = normalizeAxes(attrs.axis ?? 0, first.shape.length + 1) as [number];
  const shape = [...first.shape.slice(0, axis), 1, ...first.shape.slice(axis)];
  return concat(
    parts.map((part) => reshape(part, shape)),
    axis,
  );
};

const unpack: KernelRule = (inputs, attrs) => {
  const x = input(inputs, 'value');
  const [axis] = normalizeAxes(attrs.axis ?? 0, x.shape.length) as [number];
  const shape = x.shape.filter((_, i) => i !== axis);
  return Array.from({ length: x.shape[axis] as number }, (_, k) => {
    const begin = x.shape.map((_, i) => (i === axis ? k : 0));
    return reshape(
      slice(
        x,
        begin,
        x.shape.map((n, i) => (i === axis ? 1 : n)),
      ),
      shape,
    );
  });
};

/** One row of the identity per index; indices outside of [0, depth) give a row of `offValue`. */
const oneHot: KernelRule = (inputs, attrs, graph) => {
  const indices = cast(input(inputs, 'indices'), 'int32');
  const depth: number = attrs.depth;
  const classes = graph.constant(
    Int32Array.from({ length: depth }, (_, i) => i),
    [depth],
    'int32',
  );
  const hot = cast(binary('Equal', reshape(indices, [...indices.shape, 1]), classes), attrs.dtype ?? 'int32');
  const [onValue, offValue] = [attrs.onValue ?? 1, attrs.offValue ?? 0];
  const scaled = mul(hot, scalar(hot, onValue - offValue));
  return binary('Add', scaled, scalar(hot, offValue));
};

export const shape: KernelTable = {
  BroadcastTo: (inputs, attrs) => expand(input(inputs, 'x'), attrs.shape),
  Concat: (inputs, attrs) => {
    const parts = inputList(inputs);
    const [axis] = normalizeAxes(attrs.axis ?? 0, (parts[0] as Value).shape.length) as [number];
    return concat(parts, axis);
  },
  ExpandDims: (inputs, attrs) => {
    const x = input(inputs, 'input');
    const axis = attrs.dim < 0 ? attrs.dim + x.shape.length + 1 : attrs.dim;
    return reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
  },
  OneHot: oneHot,
  Pack: pack,
  PadV2: padRule,
  Reshape: (inputs, attrs) => {
    const x = input(inputs, 'x');
    const known = attrs.shape.reduce((n: number, d: number) => (d < 0 ? n : n * d), 1);
    const size = x.shape.reduce((n, d) => n * d, 1);
    return reshape(
      x,
      attrs.shape.map((d: number) => (d < 0 ? size / known : d)),
    );
  },
  Reverse: (inputs, attrs) => {
    const x = input(inputs, 'x');
    return reverse(x, normalizeAxes(attrs.dims, x.shape.length));
  },
  Slice: sliceRule,
  SplitV: split,
  StridedSlice: (inputs, attrs) => stridedSlice(input(inputs, 'x'), attrs as StridedSliceAttrs),
  Tile: (inputs, attrs) => tile(input(inputs, 'x'), attrs.reps),
  Transpose: (inputs, attrs) => transpose(input(inputs, 'x'), attrs.perm),
  Unpack: unpack,
};
