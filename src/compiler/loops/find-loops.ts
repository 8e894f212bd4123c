/** Which values of a program loops compute, and which are mere copies. */
import { isAtHand } from '../graph/at-hand.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { fitsLoop, loopSize, operandsOf, sourceOf, viewed } from './loopable.js';

/** Who computes a value: ONNX Runtime, a loop, or the worker by copying. */
export type Maker = 'runtime' | 'loop' | 'copy';

/** Elements of a tensor from which on a pass over it is worth a loop. */
export const SMALLEST_LOOP = 1 << 14;
/** More is not copied by a worker. */
const LARGEST_JOINED = 1 << 12;

/**
 * Large values that loops can compute, and what is made of such and of inputs alone, however small: ONNX Runtime, called for a few numbers for
 * each channel, takes 40 microseconds.
 *
 * @param order inputs before users.
 * @param smallest elements that are large.
 * @returns who makes each value; all is left to ONNX Runtime where nothing is large.
 */
export function findMakers(
  order: readonly Value[],
  smallest: number,
  refused: ReadonlySet<Value> = new Set(),
): Map<Value, Maker> {
  const makers = new Map<Value, Maker>();
  if (!hasLoops(order, smallest)) return makers;
  const isLarge = (value: Value): boolean => loopSize(value) >= smallest;
  const isOurs = (source: Value): boolean =>
    (isAtHand(source) && source.op !== 'Constant') || (makers.get(source) ?? 'runtime') !== 'runtime';
  for (const value of order) {
    if (refused.has(value)) continue;
    if (value.op === 'Copy' || isJoined(value, isOurs)) makers.set(value, 'copy');
    else if (fitsLoop(value) && (isLarge(value) || operandsOf(value).every((x) => isOurs(sourceOf(value, x))))) {
      makers.set(value, 'loop');
    }
  }
  return makers;
}

/** Whether anything is large enough for a loop. */
export function hasLoops(order: readonly Value[], smallest: number): boolean {
  return order.some((value) => fitsLoop(value) && loopSize(value) >= smallest);
}

/** Whether it is pieces of what loops make, one behind the other. */
function isJoined({ op, inputs, attrs, shape, dtype }: Value, isOurs: (source: Value) => boolean): boolean {
  if (op !== 'Concat' || dtype !== 'float32' || sizeOf(shape) > LARGEST_JOINED) return false;
  const isInOrder = shape.slice(0, attrs.axis as number).every((n) => n === 1);
  return isInOrder && inputs.every((input) => input.splat !== undefined || isOurs(viewed(input)));
}
