/**
 * What a loop needs of an earlier one is computed again where that reads no more memory: an activation from the tensors that its gradient reads
 * anyway, deviations from the tensor of which they are deviations. Loops wait for memory, not for arithmetic.
 */
import type { Value } from '../graph/value.js';
import { isSum, loopSize, operandsOf, readOf, viewed } from './loopable.js';
import { commonExtents } from './make-loop.js';
import type { Step } from './steps.js';

/** Operations that are done again for one value, at most. */
const MOST_OPERATIONS = 8;

/** Adds to each loop the values that it had better compute itself. */
export function recompute(steps: readonly Step[], order: readonly Value[], roots: readonly Value[]): void {
  const loops = steps.filter(({ maker }) => maker === 'loop');
  const place = new Map(order.map((value, index) => [value, index]));
  const byLoops = new Set(loops.flatMap(({ values }) => values));
  const outside = new Set([
    ...roots.map(viewed),
    ...order.filter((value) => !byLoops.has(value)).flatMap(({ inputs }) => inputs.map(viewed)),
  ]);
  const isMade = (value: Value) => byLoops.has(value) && !isSum(value);
  for (const step of loops) {
    // What is recomputed first may be what the next needs.
    for (let changed = true; changed; ) {
      changed = false;
      const own = new Set(step.values);
      const read = tensorsRead(step.values, own);
      for (const given of read) {
        if (!isMade(given) || given.dtype === 'bool' || loopSize(given) !== step.size) continue;
        const others = new Set([...read, ...own].filter((value) => value !== given));
        const made = operationsOf(given, others, isMade);
        if (!made) continue;
        const further = tensorsRead(made, new Set([...made, ...others]));
        const mayBe = further.size === 0 || (further.size === 1 && !outside.has(given));
        const values = [...made, ...step.values].sort((a, b) => (place.get(a) as number) - (place.get(b) as number));
        const extents = mayBe && isReadWhole(given, step.values) ? commonExtents(values) : undefined;
        if (!extents) continue;
        step.values = values;
        step.extents = extents;
        changed = true;
        break;
      }
    }
  }
}

/** The tensors of a loop's size that it reads. */
function tensorsRead(values: readonly Value[], own: ReadonlySet<Value>): Set<Value> {
  const size = loopSize(values[0] as Value);
  const reads = values.flatMap((value) => operandsOf(value).map((operand) => readOf(value, operand)));
  return new Set(
    reads.filter(({ axes, source }) => isWhole(axes, size) && !own.has(source)).map(({ source }) => source),
  );
}

function isWhole(axes: readonly { size: number; stride: number }[], size: number): boolean {
  return axes.length === 1 && axes[0]?.size === size && axes[0].stride === 1;
}

/** Whether no one reads pieces of it, or repeats it. */
function isReadWhole(given: Value, values: readonly Value[]): boolean {
  return values.every((value) =>
    operandsOf(value).every((operand) => {
      const { source, axes } = readOf(value, operand);
      return source !== given || isWhole(axes, loopSize(value));
    }),
  );
}

/** The operations that make a value of others, in any order; undefined if they are many. */
function operationsOf(
  value: Value,
  others: ReadonlySet<Value>,
  isMade: (value: Value) => boolean,
): Value[] | undefined {
  const made = new Set([value]);
  for (const next of made) {
    if (made.size > MOST_OPERATIONS) return undefined;
    for (const operand of operandsOf(next)) {
      const { source, axes } = readOf(next, operand);
      const isOfLoop = isMade(source) && isWhole(axes, loopSize(value)) && loopSize(source) === loopSize(value);
      if (isOfLoop && !others.has(source)) made.add(source);
    }
  }
  return [...made];
}
