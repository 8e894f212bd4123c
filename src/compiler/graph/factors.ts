/** Products taken apart, so that their factors can be put together in a better order. */
import { reshape } from './layout.js';
import { broadcast, padRank, type Shape, sameShape } from './shapes.js';
import { isScalarLike, type Value } from './value.js';

/** Whether `x` is the same along an axis of `full`, to which it is broadcast. */
export function isRepeated(x: Value, full: Shape): boolean {
  return padRank(x.shape, full.length).some((n, axis) => n === 1 && full[axis] !== 1);
}

/** Splits x = rest * factor, with a factor repeated as often as s or more: (rest * factor) * s is one more pass than rest * (factor * s). */
export function repeatedFactor(x: Value, s: Value, full: Shape): { rest: Value; factor: Value } | undefined {
  if (x.op !== 'Mul' || !sameShape(x.shape, full)) return undefined;
  const [a, b] = x.inputs as [Value, Value];
  const fits = (rest: Value, factor: Value): boolean =>
    sameShape(rest.shape, full) &&
    sameShape(padRank(broadcast(factor.shape, s.shape), full.length), padRank(s.shape, full.length));
  if (fits(a, b)) return { rest: a, factor: b };
  return fits(b, a) ? { rest: b, factor: a } : undefined;
}

/** Splits x = rest * mask, a comparison cast to numbers, of which gates that are cut from one tensor share one. Single numbers are no rest: see `scalarFactor`. */
export function maskFactor(x: Value): { rest: Value; mask: Value } | undefined {
  if (x.op !== 'Mul' || x.inputs.some(isScalarLike)) return undefined;
  const [a, b] = x.inputs as [Value, Value];
  const isMask = (v: Value): boolean => v.op === 'Cast' && (v.inputs[0] as Value).dtype === 'bool';
  if (isMask(b)) return { rest: a, mask: b };
  return isMask(a) ? { rest: b, mask: a } : undefined;
}

/** Splits x = rest * scalar where x is a product with a single-element factor, or a negation. */
export function scalarFactor(x: Value): { rest: Value; scalar: Value } | undefined {
  if (isScalarLike(x)) return undefined;
  if (x.op === 'Neg') return { rest: x.inputs[0] as Value, scalar: x.graph.splat(-1, []) };
  if (x.op !== 'Mul') return undefined;
  const [a, b] = x.inputs as [Value, Value];
  if (isScalarLike(b)) return { rest: a, scalar: reshape(b, []) };
  if (isScalarLike(a)) return { rest: b, scalar: reshape(a, []) };
  return undefined;
}
