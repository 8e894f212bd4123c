/** Puts the values of one loop together: its axes, and what each of them does at an element. */

import { FLOAT_BYTES } from '../../common/arena.js';
import type { Value } from '../graph/value.js';
import { parametersOf } from '../tape/operator-parameters.js';
import type { Loop, LoopInstruction, LoopTensor } from './loop-function.js';
import { isSum, type LoopAxis, loopSize, operandsOf, readOf, resultAxes } from './loopable.js';

/** Vectors that the body of a loop computes, where it is not as wide as a sum's columns. */
const BODIES = [16, 8, 4];
/** Tensors of a loop are the parameters of its function, of which V8 takes 1000. */
const MOST_TENSORS = 1000;

/**
 * The axes that all of the values can be computed along, from the outermost to the innermost: the last is what the body computes.
 * Undefined if there are none, or if it would be too much for one function.
 */
export function commonExtents(values: readonly Value[]): number[] | undefined {
  const tensors = values.reduce((sum, value) => sum + operandsOf(value).length + 1, 0);
  if (tensors > MOST_TENSORS) return undefined;
  const size = loopSize(values[0] as Value);
  const sums = values.filter(isSum);
  const all = values.flatMap((value) => [
    resultAxes(value),
    ...operandsOf(value).map((operand) => readOf(value, operand).axes),
  ]);
  const ends = [...new Set(all.flatMap(endsOf))].sort((a, b) => a - b);
  if (ends.some((end, i) => i > 0 && end % (ends[i - 1] as number) !== 0)) return undefined;
  const run = ends[0] as number;
  const extents = ends.map((end, i) => (i === 0 ? end : end / (ends[i - 1] as number))).reverse();
  if (sums.length > 0) return sums.every((sum) => resultAxes(sum).at(-1)?.size === run) ? extents : undefined;
  const body = BODIES.find((width) => run % width === 0) as number;
  return run === body && run < size ? extents : [...extents.slice(0, -1), run / body, body];
}

/** How many elements are within each axis, itself included. */
function endsOf(axes: readonly LoopAxis[]): number[] {
  let within = 1;
  return axes.toReversed().map(({ size }) => {
    within *= size;
    return within;
  });
}

/**
 * @param values in an order in which they can be computed.
 * @param kept those that are needed afterwards.
 * @param placeOf byte offset of a tensor in the loops' memory.
 * @returns the loop, and the byte offsets of its tensors, its parameters.
 */
export function makeLoop(
  values: readonly Value[],
  kept: ReadonlySet<Value>,
  extents: readonly number[],
  placeOf: (value: Value) => number,
): { loop: Loop; addresses: number[] } {
  const addresses: number[] = [];
  const instructions: LoopInstruction[] = [];
  const numbers = new Map<string, number>();
  const add = (key: string, instruction: LoopInstruction): number => {
    const known = numbers.get(key) ?? instructions.push(instruction) - 1;
    numbers.set(key, known);
    return known;
  };
  const computed = new Map<Value, number>();
  const tensorOf = (value: Value, axes: readonly LoopAxis[], first = 0): LoopTensor => ({
    parameter: addresses.push(placeOf(value) + first * FLOAT_BYTES) - 1,
    strides: stridesAlong(extents, axes),
  });
  const numberOf = (value: Value, operand: Value): number => {
    if (operand.splat !== undefined) {
      return add(`constant ${Object.is(operand.splat, -0) ? '-0' : operand.splat}`, {
        kind: 'constant',
        value: operand.splat,
      });
    }
    const { source, first, axes } = readOf(value, operand);
    const own = computed.get(source);
    if (own !== undefined) return own;
    const key = `load ${source.id} ${first} ${JSON.stringify(axes)}`;
    return numbers.get(key) ?? add(key, { kind: 'load', tensor: tensorOf(source, axes, first) });
  };
  const stores: Loop['stores'][number][] = [];
  const sums: Loop['sums'][number][] = [];
  for (const value of values) {
    if (isSum(value)) {
      const axes = resultAxes(value);
      const tensor = tensorOf(value, axes);
      const axis = firstSummed(extents, axes);
      sums.push({ value: numberOf(value, value.inputs[0] as Value), axis, tensor });
      continue;
    }
    const { op, inputs } = value;
    const [alpha, beta] = parametersOf(value) as [number, number];
    const operands = (op === 'Clip' ? inputs.slice(0, 1) : inputs).map((operand) => numberOf(value, operand));
    const index = instructions.push({ kind: 'compute', op, inputs: operands, alpha, beta }) - 1;
    computed.set(value, index);
    if (kept.has(value)) stores.push({ value: index, tensor: tensorOf(value, resultAxes(value)) });
  }
  return { loop: { extents, instructions, stores, sums }, addresses };
}

/** Strides of a tensor along finer axes. */
function stridesAlong(extents: readonly number[], axes: readonly LoopAxis[]): number[] {
  const rest = axes.map((axis) => ({ ...axis, within: 1 }));
  return extents
    .toReversed()
    .map((extent) => {
      while (rest.length > 1 && rest.at(-1)?.within === rest.at(-1)?.size) rest.pop();
      const axis = rest.at(-1) as LoopAxis & { within: number };
      const stride = axis.stride * axis.within;
      axis.within *= extent;
      return stride;
    })
    .reverse();
}

/** The axis from which on, but for the innermost, a sum is taken. */
function firstSummed(extents: readonly number[], axes: readonly LoopAxis[]): number {
  const rows = axes.find(({ stride }) => stride === 0)?.size ?? 1;
  let axis = extents.length - 1;
  for (let n = 1; n < rows; n *= extents[axis] as number) axis--;
  return axis;
}
