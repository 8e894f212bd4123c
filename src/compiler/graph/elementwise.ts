/** Elementwise operators with the algebra that tfjs' autodiff makes worthwhile. */

import { isRepeated, maskFactor, repeatedFactor, scalarFactor } from './factors.js';
import { foldBinary, foldUnary } from './fold.js';
import { asInterleaved, interleave } from './interleave.js';
import { asTransposed, cast, expand, reshape, transpose, unexpanded } from './layout.js';
import { broadcast, invertPermutation, isOne, padRank, type Shape } from './shapes.js';
import { type Attrs, type IrType, isScalarLike, type Value } from './value.js';

const COMPARISONS = new Set(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);

/** `op` on every element. */
export function unary(op: string, x: Value, attrs: Attrs = {}, dtype: IrType = x.dtype): Value {
  const folded = foldUnary(op, x, attrs, dtype);
  if (folded) return folded;
  if (x.op === 'Expand') return expand(unary(op, x.inputs[0] as Value, attrs, dtype), x.shape);
  const transposed = asTransposed(x);
  if (transposed) return transpose(unary(op, transposed.inner, attrs, dtype), transposed.perm);
  if (x.op === op && (op === 'Relu' || op === 'Abs')) return x;
  if (x.op === op && (op === 'Neg' || op === 'Not')) return x.inputs[0] as Value;
  return x.graph.node(op, [x], attrs, { shape: x.shape, dtype });
}

/** `op` on pairs of elements, with broadcasting. */
export function binary(op: string, a: Value, b: Value): Value {
  const shape = broadcast(a.shape, b.shape);
  // Work on what the operands repeat; expand the result only if nothing else does.
  const [x, y] = [unexpanded(a), unexpanded(b)];
  return expand(binaryUnexpanded(op, withoutLeadingOnes(x, y), withoutLeadingOnes(y, x)), shape);
}

/** Axes of size 1 in front mean nothing beside a value of as many axes: without them, equal operations look equal. */
function withoutLeadingOnes(x: Value, other: Value): Value {
  const ones = x.shape.findIndex((n) => n !== 1);
  if (ones <= 0 || other.shape.length < x.shape.length || other.shape[0] === 1) return x;
  return reshape(x, x.shape.slice(ones));
}

function binaryUnexpanded(op: string, a: Value, b: Value): Value {
  if (COMPARISONS.has(op) && isIndexCast(a) && isIndexCast(b))
    return binary(op, a.inputs[0] as Value, b.inputs[0] as Value);
  const dtype: IrType = COMPARISONS.has(op) ? 'bool' : a.dtype;
  const simple = foldBinary(op, a, b, dtype) ?? identities(op, a, b);
  if (simple) return simple;
  const sunk = withoutTransposes([a, b]);
  if (sunk) return transpose(binary(op, sunk.values[0] as Value, sunk.values[1] as Value), sunk.perm);
  const scaled = op === 'Mul' ? (scaleInterleaved(a, b) ?? scaleInterleaved(b, a)) : undefined;
  if (scaled) return scaled;
  return a.graph.node(op, [a, b], {}, { shape: broadcast(a.shape, b.shape), dtype });
}

/** Indices compare as well before they are cast to tfjs' int32. */
function isIndexCast(x: Value): boolean {
  return x.op === 'Cast' && (x.inputs[0] as Value).dtype === 'int64';
}

/** x*1, x+0, 0-x, x/c, and factors gathered: (x*s)*t with single-element s, t is x*(s*t). */
function identities(op: string, a: Value, b: Value): Value | undefined {
  const full = broadcast(a.shape, b.shape);
  const [s, t] = [a.splat, b.splat];
  if (op === 'Add' && t === 0) return expand(a, full);
  if (op === 'Add' && s === 0) return expand(b, full);
  if (op === 'Sub' && t === 0) return expand(a, full);
  if (op === 'Sub' && s === 0) return expand(unary('Neg', b), full);
  if (op === 'Div' && t === 1) return expand(a, full);
  if (op === 'Div' && t !== undefined && a.dtype === 'float32') return mul(a, a.graph.splat(1 / t, []));
  if (op === 'Mul') return mulIdentities(a, b, full);
  if (op === 'Pow' && t === 1) return expand(a, full);
  if (op === 'Pow' && t === 2) return expand(mul(a, a), full);
  return undefined;
}

function mulIdentities(a: Value, b: Value, full: Shape): Value | undefined {
  if (b.splat === 1) return expand(a, full);
  if (a.splat === 1) return expand(b, full);
  if (a.dtype !== 'float32') return undefined;
  if (b.splat === -1) return expand(unary('Neg', a), full);
  if (a.splat === -1) return expand(unary('Neg', b), full);
  for (const [x, s] of [
    [a, b],
    [b, a],
  ] as const) {
    if (!isScalarLike(s)) {
      const repeated = isRepeated(s, full) ? repeatedFactor(x, s, full) : undefined;
      if (repeated) return mul(repeated.rest, mul(repeated.factor, s));
      continue;
    }
    const masked = s.splat === undefined ? undefined : maskFactor(x);
    if (masked) return expand(mul(masked.rest, mul(masked.mask, s)), full);
    const factor = scalarFactor(x);
    if (factor) return expand(mul(factor.rest, mul(factor.scalar, reshape(s, []))), full);
  }
  return undefined;
}

/**
 * f(transpose(a), b) as transpose(f(a, b')): layouts move towards the outputs, where they meet their inverses. Only
 * where b' needs no transpose of its own: one of the two must happen, and moving it back and forth would never end.
 */
function withoutTransposes(values: readonly Value[]): { values: Value[]; perm: number[] } | undefined {
  const rank = Math.max(...values.map((v) => v.shape.length));
  for (const value of values) {
    const perm = value.shape.length === rank ? asTransposed(value)?.perm : undefined;
    if (!perm) continue;
    const inner = values.map((v) => untranspose(v, perm));
    if (inner.every((v) => v.op !== 'Transpose')) return { values: inner, perm };
  }
  return undefined;
}

/** A product with interleaved parts, where the factor is the same for every position or zero only where the parts are. */
function scaleInterleaved(x: Value, factor: Value): Value | undefined {
  const interleaved = asInterleaved(x);
  if (!interleaved) return undefined;
  const { parts, stride, size, marks } = interleaved;
  if (marks.gate && factor === step(marks.gate)) return x;
  if (!isOne(factor.shape.slice(0, -1))) return undefined;
  const total = marks.total && mul(marks.total, factor);
  return interleave(
    parts.map((part) => mul(part, factor)),
    stride,
    size,
    { gate: marks.gate, total },
  );
}

/** The value that `perm` turns into `x`. */
export function untranspose(x: Value, perm: readonly number[]): Value {
  return isScalarLike(x) ? x : transpose(reshape(x, padRank(x.shape, perm.length)), invertPermutation(perm));
}

export const add = (a: Value, b: Value): Value => binary('Add', a, b);
export const sub = (a: Value, b: Value): Value => binary('Sub', a, b);
export const mul = (a: Value, b: Value): Value => binary('Mul', a, b);
export const div = (a: Value, b: Value): Value => binary('Div', a, b);

/** A constant that broadcasts against `like`, of its type. */
export function scalar(like: Value, x: number): Value {
  return like.graph.splat(x, [], like.dtype);
}

/** 1 where x > 0, else 0, as tfjs' Step with alpha 0. */
export function step(x: Value): Value {
  // relu(x) > 0 exactly where x > 0; using it lets x itself be overwritten in place.
  return mask(x.graph.find('Relu', [x], {}, 'float32') ?? x);
}

function mask(x: Value): Value {
  // One vectorised pass instead of a comparison and a cast: min(1, 3e38 * x), exact but for denormal x.
  return unary('HardSigmoid', x, { alpha: 3e38, beta: 0 });
}

/** `condition ? a : b`, with broadcasting. */
export function where(condition: Value, a: Value, b: Value): Value {
  const shape = broadcast(broadcast(condition.shape, a.shape), b.shape);
  const parts = [condition, a, b].map(unexpanded);
  const sunk = withoutTransposes(parts);
  if (sunk) {
    const [c, x, y] = sunk.values as [Value, Value, Value];
    return expand(transpose(where(c, x, y), sunk.perm), shape);
  }
  const [c, x, y] = parts as [Value, Value, Value];
  const inner = broadcast(broadcast(c.shape, x.shape), y.shape);
  return expand(c.graph.node('Where', [c, x, y], {}, { shape: inner, dtype: x.dtype }), shape);
}

/** Clamps to [low, high] with gradients left to the caller. */
export function clip(x: Value, low: number, high: number): Value {
  if (x.op === 'Expand') return expand(clip(x.inputs[0] as Value, low, high), x.shape);
  const transposed = asTransposed(x);
  if (transposed) return transpose(clip(transposed.inner, low, high), transposed.perm);
  const bounds = [scalar(x, low), scalar(x, high)];
  return x.graph.node('Clip', [x, ...bounds], {}, { shape: x.shape, dtype: x.dtype });
}

/** Logical operator on bools. */
export function logical(op: 'And' | 'Or' | 'Xor', a: Value, b: Value): Value {
  return binary(op, cast(a, 'bool'), cast(b, 'bool'));
}
