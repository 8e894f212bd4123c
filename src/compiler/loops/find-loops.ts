/** Which values of a program loops compute, and which are mere copies. */
import { isAtHand } from '../graph/at-hand.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { fitsLoop, loopSize, operandsOf, sourceOf, viewed } from './loopable.js';

/** Who computes a value: ONNX Runtime, a loop, or the worker by copying. */
export type Maker = 'runtime' | 'loop' | 'copy';

/** Which operations are worth a loop: those on tensors that are large enough for it to save time, or all that can be done by one, for tests. */
export type LoopChoice = 'large' | 'all';

/** Elements of a tensor from which on a pass over it is worth a loop. */
const SMALLEST: Readonly<Record<LoopChoice, number>> = { large: 1 << 14, all: 1 };
/** Elements of joined pieces that a worker copies, at most. */
const LARGEST_JOINED = 1 << 12;

/**
 * Large values that loops can compute, and what is made of such and of inputs alone, however small: ONNX Runtime, called for a few numbers for
 * each channel, takes some tens of times as long as a loop (see `worth`).
 *
 * @param order inputs before users.
 * @param choice undefined: none are.
 * @param refused what no loop can take, as has turned out.
 * @returns who makes each value; all is left to ONNX Runtime where nothing is large.
 */
export function findMakers(
  order: readonly Value[],
  choice: LoopChoice | undefined,
  refused: ReadonlySet<Value> = new Set(),
): Map<Value, Maker> {
  const makers = new Map<Value, Maker>();
  if (!choice || !hasLoops(order, choice)) return makers;
  const isMadeOutside = (source: Value): boolean =>
    (isAtHand(source) && source.op !== 'Constant') || (makers.get(source) ?? 'runtime') !== 'runtime';
  for (const value of order) {
    if (refused.has(value)) continue;
    if (value.op === 'Copy' || isJoined(value, isMadeOutside)) makers.set(value, 'copy');
    else if (
      fitsLoop(value) &&
      (isLarge(value, choice) || operandsOf(value).every((x) => isMadeOutside(sourceOf(value, x))))
    ) {
      makers.set(value, 'loop');
    }
  }
  if (choice === 'large') leaveInputs(order, makers);
  return makers;
}

/** Leaves to ONNX Runtime what is made of few inputs alone and no loop needs, such as labels. */
function leaveInputs(order: readonly Value[], makers: Map<Value, Maker>): void {
  const sourcesOf = (value: Value): Value[] =>
    makers.get(value) === 'loop' ? operandsOf(value).map((x) => sourceOf(value, x)) : value.inputs.map(viewed);
  const ofInputs = new Set<Value>();
  for (const value of order) {
    if (!makers.has(value) || isLarge(value, 'large')) continue;
    if (sourcesOf(value).every((source) => source.op === 'Input' || ofInputs.has(source))) ofInputs.add(value);
  }
  const needed = new Set<Value>();
  for (const value of [...order].reverse()) {
    if (!makers.has(value)) continue;
    if (ofInputs.has(value) && !needed.has(value) && makers.get(value) === 'loop') makers.delete(value);
    else for (const source of sourcesOf(value)) needed.add(source);
  }
}

/** Whether any value is worth a loop by itself. */
export function hasLoops(order: readonly Value[], choice: LoopChoice): boolean {
  return order.some((value) => fitsLoop(value) && isLarge(value, choice));
}

export function isLarge(value: Value, choice: LoopChoice): boolean {
  return loopSize(value) >= SMALLEST[choice];
}

/** Whether it is pieces of what loops make, one behind the other. */
function isJoined({ op, inputs, attrs, shape, dtype }: Value, isMadeOutside: (source: Value) => boolean): boolean {
  if (op !== 'Concat' || dtype !== 'float32' || sizeOf(shape) > LARGEST_JOINED) return false;
  const isInOrder = shape.slice(0, attrs.axis as number).every((n) => n === 1);
  return isInOrder && inputs.every((input) => input.splat !== undefined || isMadeOutside(viewed(input)));
}
