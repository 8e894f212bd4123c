/** Which step computes what: between two meetings of shards, ONNX Runtime and loops take turns. */
import type { Value } from '../graph/value.js';
import { findMakers, isLarge, type LoopChoice, type Maker } from './find-loops.js';
import { isSum, isView, operandsOf, viewed } from './loopable.js';
import { commonExtents } from './make-loop.js';
import { recompute } from './recompute.js';
import { Turns } from './turns.js';

/** Values that are made together: by ONNX Runtime, in one pass over tensors of so many elements, or by copying. */
export interface Step {
  stage: number;
  /** How many turns of its stage come before. */
  turn: number;
  maker: Maker;
  /** Elements of each tensor of a loop; 0 for the others. */
  size: number;
  /** Axes of a loop. */
  extents: number[];
  /** In an order in which they can be computed. */
  values: Value[];
}

/**
 * The steps in the order in which they are run. What one turn needs, turns before it have computed.
 *
 * @param order all values, inputs before users.
 * @param roots values that are needed after the last step of their stage.
 * @param loops what loops compute; default: nothing.
 */
export function stepsOf(
  order: readonly Value[],
  roots: readonly Value[],
  stageOf: ReadonlyMap<Value, number>,
  loops?: LoopChoice,
): Step[] {
  const refused = new Set<Value>();
  const staysWithin = masksOf(order, roots);
  for (;;) {
    const makers = findMakers(order, loops, refused);
    const steps = new Turns(order, roots, stageOf, makers).steps();
    const before = refused.size;
    for (const step of steps) if (step.maker === 'loop') refuse(step, staysWithin, refused);
    if (loops === 'large' && refused.size === before) refuseLone(steps, refused);
    if (refused.size > before) continue;
    recompute(steps, order, roots);
    return steps;
  }
}

/** Whether a value, true or false, is used by some values alone. */
type StaysWithin = (mask: Value, own: ReadonlySet<Value>) => boolean;

function masksOf(order: readonly Value[], roots: readonly Value[]): StaysWithin {
  const users = new Map<Value, Value[]>();
  for (const user of order.filter((value) => !isView(value))) {
    for (const mask of user.inputs.map(viewed).filter(({ dtype }) => dtype === 'bool')) {
      users.set(mask, [...(users.get(mask) ?? []), user]);
    }
  }
  const outside = new Set(roots.map(viewed));
  return (mask, own) => !outside.has(mask) && (users.get(mask) ?? []).every((user) => own.has(user));
}

/** Adds to `refused` what cannot be computed in its loop. */
function refuse(step: Step, staysWithin: StaysWithin, refused: Set<Value>): void {
  const own = new Set(step.values);
  for (const value of step.values) {
    const masks = operandsOf(value)
      .filter(({ dtype }) => dtype === 'bool')
      .map(viewed);
    if (masks.some((mask) => !own.has(mask) || refused.has(mask))) refused.add(value);
  }
  refuseMisfits(
    step,
    step.values.filter((value) => !refused.has(value)),
    refused,
  );
  // What is true or false stays within its loop.
  for (const value of step.values) {
    if (value.dtype === 'bool' && !staysWithin(value, own)) refused.add(value);
  }
}

/** Adds what has no axes in common with the others before it, and what would be too much for one function. */
function refuseMisfits(step: Step, values: readonly Value[], refused: Set<Value>): void {
  const extents = values.length > 0 && commonExtents(values);
  if (extents) {
    step.extents = extents;
    return;
  }
  const fitting: Value[] = [];
  for (const value of values) {
    if (commonExtents([...fitting, value])) fitting.push(value);
    else refused.add(value);
  }
}

/** An operation that would be in a loop alone spares no pass over memory: ONNX Runtime may join it with the product before. */
function refuseLone(steps: readonly Step[], refused: Set<Value>): void {
  for (const { maker, values } of steps) {
    const [only] = values as [Value];
    if (maker === 'loop' && values.length === 1 && !isSum(only) && isLarge(only, 'large')) refused.add(only);
  }
}
