/** tfjs kernels that reduce along axes, and softmax. */
import { binary, mul, sub, unary } from '../graph/elementwise.js';
import { cast, pad, reshape, slice } from '../graph/layout.js';
import { argReduce, type ReduceOp, reduce, reduceBool, softmax, softmaxGradient } from '../graph/reduction.js';
import { normalizeAxes } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { input, type KernelRule, type KernelTable } from './rule.js';

/** tfjs names the axes `axis` in some kernels and `reductionIndices` in others. */
const over =
  (op: ReduceOp): KernelRule =>
  (inputs, attrs) => {
    const x = input(inputs, 'x');
    // A sum of bools counts them.
    const numbers = x.dtype === 'bool' ? cast(x, 'int32') : x;
    return reduce(op, numbers, attrs.axis ?? attrs.reductionIndices, attrs.keepDims ?? false);
  };

/** Sums of what comes before each element along an axis, the element itself included unless `exclusive`. */
const cumsum: KernelRule = (inputs, attrs, graph) => {
  const x = input(inputs, 'x');
  const [axis] = normalizeAxes(attrs.axis ?? 0, x.shape.length) as [number];
  const at = graph.constant(Int32Array.of(axis), [], 'int32');
  const flags = { exclusive: Number(attrs.exclusive ?? false), reverse: Number(attrs.reverse ?? false) };
  return graph.node('CumSum', [x, at], flags, { shape: x.shape, dtype: x.dtype });
};

/**
 * Products of what comes before each element along an axis, by doubling: the product of the last 2, 4, 8, ... elements.
 * Without logarithms, so that zeros and signs are as they should be.
 */
const cumprod: KernelRule = (inputs, attrs) => {
  const x = input(inputs, 'x');
  const [axis] = normalizeAxes(attrs.axis ?? 0, x.shape.length) as [number];
  const along = (n: number) => x.shape.map((_, i) => (i === axis ? n : 0));
  const size = x.shape[axis] as number;
  // x moved on by n elements, with ones where nothing came before.
  const moved = (value: Value, n: number): Value => {
    const rest = x.shape.map((m, i) => (i === axis ? m - n : m));
    return attrs.reverse
      ? pad(slice(value, along(n), rest), along(0), along(n), 1)
      : pad(slice(value, along(0), rest), along(n), along(0), 1);
  };
  let product = attrs.exclusive ? moved(x, 1) : x;
  for (let n = 1; n < size; n *= 2) product = mul(product, moved(product, n));
  return product;
};

/** How often each of the numbers 0 .. size - 1 occurs in a row, or whether it does. */
const denseBincount: KernelRule = (inputs, attrs, graph) => {
  const x = cast(input(inputs, 'x'), 'int32');
  if (inputs.weights?.shape.some((n) => n > 0)) {
    throw new RangeError('denseBincount with weights is not supported');
  }
  const size: number = attrs.size;
  const numbers = graph.constant(
    Int32Array.from({ length: size }, (_, i) => i),
    [size],
    'int32',
  );
  const hits = cast(binary('Equal', reshape(x, [...x.shape, 1]), numbers), 'float32');
  return reduce(attrs.binaryOutput ? 'ReduceMax' : 'ReduceSum', hits, -2);
};

export const reduction: KernelTable = {
  All: (inputs, attrs) => reduceBool('All', input(inputs, 'x'), attrs.axis, attrs.keepDims ?? false),
  Any: (inputs, attrs) => reduceBool('Any', input(inputs, 'x'), attrs.axis, attrs.keepDims ?? false),
  ArgMax: (inputs, attrs) => argReduce('ArgMax', input(inputs, 'x'), attrs.axis ?? 0),
  ArgMin: (inputs, attrs) => argReduce('ArgMin', input(inputs, 'x'), attrs.axis ?? 0),
  Cumprod: cumprod,
  Cumsum: cumsum,
  DenseBincount: denseBincount,
  LogSoftmax: (inputs, attrs) => {
    const x = input(inputs, 'logits');
    const shifted = sub(x, reduce('ReduceMax', x, attrs.axis, true));
    return sub(shifted, unary('Log', reduce('ReduceSum', unary('Exp', shifted), attrs.axis, true)));
  },
  Max: over('ReduceMax'),
  Mean: (inputs, attrs) =>
    reduce('ReduceMean', cast(input(inputs, 'x'), 'float32'), attrs.axis, attrs.keepDims ?? false),
  Min: over('ReduceMin'),
  Prod: over('ReduceProd'),
  Softmax: (inputs, attrs) => softmax(input(inputs, 'logits'), attrs.dim),
  // Not a kernel of tfjs: what the compiler's gradient of Softmax calls.
  SoftmaxGrad: (inputs, attrs) => softmaxGradient(input(inputs, 'dy'), input(inputs, 'y'), attrs.dim),
  Sum: over('ReduceSum'),
};
