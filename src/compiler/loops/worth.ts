/** What loops are expected to save. */
import type { Value } from '../graph/value.js';
import type { Step } from './steps.js';

/**
 * Nanoseconds that an element of an operation takes in ONNX Runtime: in memory that is planned and kept, while two operands and a result fit into
 * the 2 MiB of cache next to a core; and beyond that, or in memory that the pieces of a program take from the system again and again. Measured with
 * CNNs, residual CNNs and dense networks of several sizes, with loops and without.
 */
const PER_ELEMENT = 0.05;
const PER_ELEMENT_BEYOND = 0.25;
/** Elements. */
const BEYOND = 170_000;
/** Nanoseconds of a further run of ONNX Runtime, whose own code and tables are no more in the cache. */
const PER_RUN = 25_000;

/** Nanoseconds, less than 0 if they cost more: every operation but one of a loop is spared a pass over memory, and ONNX Runtime runs several times a stage. */
export function savedByLoops(steps: readonly Step[]): number {
  const runs = steps.filter(({ maker }) => maker === 'runtime');
  const stages = new Set(runs.map(({ stage }) => stage));
  const isPlanned = stages.size === 1;
  // What is computed again would not be without loops.
  const known = new Set<Value>();
  let spared = 0;
  for (const { maker, size, values } of steps) {
    if (maker !== 'loop') continue;
    const own = values.filter((value) => !known.has(value));
    for (const value of own) known.add(value);
    spared += (own.length - 1) * size * (isPlanned && size <= BEYOND ? PER_ELEMENT : PER_ELEMENT_BEYOND);
  }
  return spared - (runs.length - stages.size) * PER_RUN;
}
