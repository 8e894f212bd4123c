/** What loops are expected to save. */
import type { Value } from '../graph/value.js';
import type { Step } from './steps.js';

/**
 * Nanoseconds that an element of an operation takes in ONNX Runtime, and from how many elements on: where two operands and a result are more than
 * the 2 MiB of cache next to a core. Measured with CNNs and dense networks of several sizes, with loops and without.
 */
const PER_ELEMENT = 0.05;
const PER_ELEMENT_BEYOND = 0.25;
const BEYOND = 170_000;
/** Nanoseconds of a further run of ONNX Runtime, whose own code and tables are no more in the cache. */
const PER_RUN = 25_000;

/** Nanoseconds: every operation but one of a loop is spared a pass over memory, and ONNX Runtime runs several times a stage. */
export function savedByLoops(steps: readonly Step[]): number {
  // What is computed again would not be without loops.
  const known = new Set<Value>();
  let spared = 0;
  for (const { maker, size, values } of steps) {
    if (maker !== 'loop') continue;
    const own = values.filter((value) => !known.has(value));
    for (const value of own) known.add(value);
    spared += (own.length - 1) * size * perElement(size);
  }
  const runs = steps.filter(({ maker }) => maker === 'runtime');
  const stages = new Set(runs.map(({ stage }) => stage));
  return spared - (runs.length - stages.size) * PER_RUN;
}

function perElement(size: number): number {
  return size > BEYOND ? PER_ELEMENT_BEYOND : PER_ELEMENT;
}
