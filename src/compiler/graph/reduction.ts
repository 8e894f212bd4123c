/** Operators that reduce along axes. */
import { mul, scalar, sub } from './elementwise.js';
import { asInterleaved, asScaled } from './interleave.js';
import { asTransposed, cast, expand, reshape, transpose } from './layout.js';
import { normalizeAxes, padRank, reducedShape, sameShape } from './shapes.js';
import type { Value } from './value.js';

export type ReduceOp = 'ReduceSum' | 'ReduceMax' | 'ReduceMin' | 'ReduceProd' | 'ReduceMean';

export function reduce(
  op: ReduceOp,
  x: Value,
  over: number | readonly number[] | null | undefined,
  keepDims = false,
): Value {
  const axes = normalizeAxes(over, x.shape.length);
  const shape = reducedShape(x.shape, axes, keepDims);
  // Axes of size 1 have nothing to reduce.
  const real = axes.filter((axis) => x.shape[axis] !== 1);
  if (real.length === 0) return reshape(x, shape);
  if (op === 'ReduceMean') return mul(reduce('ReduceSum', x, axes, keepDims), scalar(x, 1 / countOf(x, real)));
  if (x.splat !== undefined) return x.graph.splat(reducedSplat(op, x.splat, countOf(x, real)), shape, x.dtype);
  const total = op === 'ReduceSum' ? knownTotal(x, real) : undefined;
  if (total !== undefined) return x.graph.splat(total, shape, x.dtype);
  const expanded = reduceExpanded(op, x, real);
  if (expanded) return reshape(expanded, shape);
  const factored = op === 'ReduceSum' ? factorsOf(x, real) : undefined;
  if (factored && factored.factors.length > 0) {
    return reshape(factored.factors.reduce(mul, reduce(op, factored.rest, axes, true)), shape);
  }
  const parts =
    op === 'ReduceSum' && [1, 2].every((axis) => axes.includes(axis)) ? asInterleaved(x)?.marks.total : undefined;
  if (parts) return reshape(reduce(op, parts, axes), shape);
  const transposed = asTransposed(x);
  if (transposed) return reshape(reduceTransposed(op, transposed, real), shape);
  const kept = reducedShape(x.shape, real, false);
  return reshape(x.graph.node(op, [x], { axes: real, keepdims: 0 }, { shape: kept, dtype: x.dtype }), shape);
}

/** Products within products in which factors are looked for. Each has two operands, so that there may be as many as 2 to the power of this. */
const DEEPEST = 12;

/**
 * Splits x into a product of factors that do not change along `axes` and the rest, of the shape of x. Factors come out of
 * sums: they multiply fewer elements there, and sums that differ by factors only (those of batch norm's gradient) become one.
 */
function factorsOf(x: Value, axes: readonly number[], depth = DEEPEST): { rest: Value; factors: Value[] } {
  if (depth === 0) return { rest: x, factors: [] };
  const within = (operand: Value) => factorsOf(operand, axes, depth - 1);
  if (x.op === 'Neg') {
    const { rest, factors } = within(x.inputs[0] as Value);
    return { rest, factors: [...factors, scalar(x, -1)] };
  }
  const scaled = asScaled(x);
  if (scaled && isConstantAlong(scaled.factor, x, axes)) {
    const { rest, factors } = within(scaled.rest);
    return { rest, factors: [...factors, scaled.factor] };
  }
  if (x.op !== 'Mul' || x.dtype !== 'float32') return { rest: x, factors: [] };
  const [a, b] = x.inputs as [Value, Value];
  for (const [product, factor] of [
    [a, b],
    [b, a],
  ] as const) {
    if (!sameShape(product.shape, x.shape) || !isConstantAlong(factor, x, axes)) continue;
    const { rest, factors } = within(product);
    return { rest, factors: [...factors, factor] };
  }
  if (!sameShape(a.shape, b.shape)) return { rest: x, factors: [] };
  const [left, right] = [within(a), within(b)];
  const factors = [...left.factors, ...right.factors];
  return { rest: factors.length > 0 ? mul(left.rest, right.rest) : x, factors };
}

/** Whether `factor` is repeated along these axes when it is broadcast to the shape of x. */
function isConstantAlong(factor: Value, x: Value, axes: readonly number[]): boolean {
  const shape = padRank(factor.shape, x.shape.length);
  return axes.every((axis) => shape[axis] === 1);
}

/** What x adds up to along these axes whatever its values are: a softmax to 1, deviations from a mean to 0. */
function knownTotal(x: Value, axes: readonly number[]): number | undefined {
  if (x.op === 'Softmax' && axes.length === 1 && axes[0] === x.attrs.axis) return 1;
  return isDeviation(x, axes) ? 0 : undefined;
}

/** Whether x is a - mean(a), with the mean over these axes. */
export function isDeviation({ op, inputs, shape }: Value, axes: readonly number[]): boolean {
  if (op !== 'Sub') return false;
  const [a, b] = inputs as [Value, Value];
  const mean = b.op === 'Reshape' ? (b.inputs[0] as Value) : b;
  if (mean.op !== 'Mul' || !sameShape(a.shape, shape)) return false;
  const [sum, share] = mean.inputs as [Value, Value];
  return (
    sum.op === 'ReduceSum' &&
    sum.inputs[0] === a &&
    sameShape(sum.attrs.axes as number[], axes) &&
    share.splat === Math.fround(1 / countOf(a, axes)) &&
    isConstantAlong(b, a, axes)
  );
}

function countOf(x: Value, axes: readonly number[]): number {
  return axes.reduce((n, axis) => n * (x.shape[axis] as number), 1);
}

function reducedSplat(op: ReduceOp, x: number, n: number): number {
  if (op === 'ReduceSum') return x * n;
  return op === 'ReduceProd' ? x ** n : x;
}

/** A sum over repeated elements is a product; a maximum of them is any of them. Axes stay, with size 1. */
function reduceExpanded(op: ReduceOp, x: Value, axes: readonly number[]): Value | undefined {
  if (x.op !== 'Expand' || op === 'ReduceProd') return undefined;
  const repeated = x.inputs[0] as Value;
  const inner = reshape(repeated, padRank(repeated.shape, x.shape.length));
  const within = axes.filter((axis) => inner.shape[axis] !== 1);
  const times = axes.filter((axis) => inner.shape[axis] === 1).reduce((n, axis) => n * (x.shape[axis] as number), 1);
  const reduced = within.length > 0 ? reduce(op, inner, within, true) : inner;
  const scaled = op === 'ReduceSum' && times > 1 ? mul(reduced, scalar(x, times)) : reduced;
  return expand(scaled, reducedShape(x.shape, axes, true));
}

function reduceTransposed(op: ReduceOp, x: { inner: Value; perm: number[] }, axes: readonly number[]): Value {
  const innerAxes = axes.map((axis) => x.perm[axis] as number);
  return transpose(reduce(op, x.inner, innerAxes, true), x.perm);
}

export function softmax(x: Value, axis: number): Value {
  const [along] = normalizeAxes(axis, x.shape.length) as [number];
  // A transposed input stays so: the axis counts in the layout that is asked for.
  return x.graph.node('Softmax', [x], { axis: along }, { shape: x.shape, dtype: x.dtype });
}

/** Gradient of y = softmax(x): (dy - sum(dy * y)) * y, in which whatever is added to all of a row's dy cancels. */
export function softmaxGradient(dy: Value, y: Value, axis: number): Value {
  const [along] = normalizeAxes(axis, y.shape.length) as [number];
  const varying = withoutRowConstant(dy, along);
  const product = mul(varying, y);
  return sub(product, mul(reduce('ReduceSum', product, along, true), y));
}

function withoutRowConstant(dy: Value, axis: number): Value {
  if (dy.op !== 'Add') return dy;
  const [a, b] = dy.inputs as [Value, Value];
  const isConstant = (v: Value): boolean => (v.shape[v.shape.length - dy.shape.length + axis] ?? 1) === 1;
  if (isConstant(b) && sameShape(a.shape, dy.shape)) return withoutRowConstant(a, axis);
  return isConstant(a) && sameShape(b.shape, dy.shape) ? withoutRowConstant(b, axis) : dy;
}

/** Index of the largest or smallest element along an axis, the first one on ties, as int32. */
export function argReduce(op: 'ArgMax' | 'ArgMin', x: Value, axis: number): Value {
  const [along] = normalizeAxes(axis, x.shape.length) as [number];
  const shape = reducedShape(x.shape, [along], false);
  const index = x.graph.node(op, [x], { axis: along, keepdims: 0 }, { shape, dtype: 'int64' });
  return cast(index, 'int32');
}

/** Whether all (or any) of the bools along the axes are true. */
export function reduceBool(
  op: 'All' | 'Any',
  x: Value,
  axes: number | readonly number[] | null,
  keepDims: boolean,
): Value {
  const asInt = cast(x, 'int32');
  const reduced = reduce(op === 'All' ? 'ReduceMin' : 'ReduceMax', asInt, axes, keepDims);
  return cast(reduced, 'bool');
}
