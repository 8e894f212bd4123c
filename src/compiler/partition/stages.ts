/** Cuts a shard's program into stages, between which the shards meet and exchange their parts of totals. */
import type { Collective, Combination, Exchange, NamedSpec, ProgramStage, TensorSpec } from '../../common/program.js';
import { sizeOf } from '../graph/shapes.js';
import { topologicalOrder, type Value } from '../graph/value.js';
import { encodeModel, type NamedValue } from '../onnx/encode.js';

export interface Staged {
  stages: ProgramStage[];
  carried: NamedSpec[];
  exchanges: Exchange[];
}

const EXCHANGES = new Set(['AllReduce', 'AllGather', 'ReduceScatter']);

function isExchange({ op }: Value): boolean {
  return EXCHANGES.has(op);
}

const MOVES = new Set(['Constant', 'Expand', 'Pad', 'Reshape', 'Slice', 'Transpose']);

/** Cheaper to do again in each stage that needs them than to carry along; int64 indices are of no type that can be carried. */
function isRepeated({ op, dtype }: Value): boolean {
  return MOVES.has(op) || dtype === 'int64';
}

/**
 * The stages of a program, what they carry on, and what shards exchange between them.
 *
 * @param inputs all inputs of the program by name.
 * @param outputs all outputs by name.
 */
export function cutStages(inputs: readonly NamedValue[], outputs: readonly NamedValue[]): Staged {
  const order = topologicalOrder(outputs.map(({ value }) => value));
  const stageOf = stagesOf(
    order,
    outputs.map(({ value }) => value),
  );
  const count = Math.max(...outputs.map(({ value }) => stageOf.get(value) as number)) + 1;
  const names = new Map(inputs.map(({ name, value }) => [value, name]));
  const totals = order.filter(isExchange);
  for (const total of totals) names.set(total, `total_${total.attrs.index}`);
  const roots: NamedValue[][] = Array.from({ length: count }, () => []);
  for (const output of outputs) roots[stageOf.get(output.value) as number]?.push(output);
  for (const { attrs, inputs } of totals) {
    const part = inputs[0] as Value;
    roots[stageOf.get(part) as number]?.push({ name: `part_${attrs.index}`, value: part });
  }
  const carried: NamedValue[] = [];
  const stages: ProgramStage[] = [];
  // From the last to the first: what a stage lacks is asked of those before it.
  for (let stage = count - 1; stage >= 0; stage--) {
    const ends = roots[stage] as NamedValue[];
    const given = boundary(ends, stage, stageOf).map((value) => {
      const known = names.get(value);
      if (known) return { name: known, value };
      const made = { name: `carried_${carried.length}`, value };
      names.set(value, made.name);
      carried.push(made);
      roots[stageOf.get(value) as number]?.push(made);
      return made;
    });
    const nameOf = ({ name }: NamedValue): string => name;
    stages.unshift({ onnx: encodeModel(given, ends), inputs: given.map(nameOf), outputs: ends.map(nameOf) });
  }
  return { stages, carried: carried.map(specOf), exchanges: exchangesOf(totals, stageOf) };
}

/**
 * A value can be computed as soon as the totals it needs are known. It is computed when it is first used, if it takes no less
 * to keep than what it is made of: less is carried from stage to stage then.
 */
function stagesOf(order: readonly Value[], outputs: readonly Value[]): Map<Value, number> {
  const stageOf = new Map<Value, number>();
  for (const value of order) {
    const before = value.inputs.reduce((most, input) => Math.max(most, stageOf.get(input) as number), 0);
    stageOf.set(value, before + Number(isExchange(value)));
  }
  const firstUse = new Map(outputs.map((value) => [value, stageOf.get(value) as number]));
  for (const value of [...order].reverse()) {
    const use = firstUse.get(value) ?? 0;
    if (use > (stageOf.get(value) as number) && canWait(value)) stageOf.set(value, use);
    // A part must be there for the meeting before its total.
    const own = (stageOf.get(value) as number) - Number(isExchange(value));
    for (const input of value.inputs) firstUse.set(input, Math.min(firstUse.get(input) ?? own, own));
  }
  return stageOf;
}

function canWait(value: Value): boolean {
  const { op, shape, inputs } = value;
  if (isExchange(value) || op.startsWith('#')) return false;
  const sizes = inputs.filter((input) => !isAtHand(input)).map((input) => sizeOf(input.shape));
  return sizes.reduce((a, b) => a + b, 0) <= 1.1 * sizeOf(shape);
}

/** Known to every stage that can use it, without being carried. */
function isAtHand(value: Value): boolean {
  return value.op === 'Input' || value.op === 'Constant' || isExchange(value);
}

/** What a stage takes from outside: inputs of the program, totals, and what earlier stages have computed. */
function boundary(ends: readonly NamedValue[], stage: number, stageOf: ReadonlyMap<Value, number>): Value[] {
  const isGiven = (value: Value): boolean => {
    if (value.op !== 'Constant' && isAtHand(value)) return true;
    return (stageOf.get(value) as number) < stage && !isRepeated(value);
  };
  return topologicalOrder(
    ends.map(({ value }) => value),
    isGiven,
  ).filter(isGiven);
}

function specOf({ name, value }: NamedValue): NamedSpec {
  return { name, shape: [...value.shape], dtype: value.dtype as TensorSpec['dtype'] };
}

function exchangesOf(totals: readonly Value[], stageOf: ReadonlyMap<Value, number>): Exchange[] {
  const inOrder = [...totals].sort((a, b) => (a.attrs.index as number) - (b.attrs.index as number));
  return inOrder
    .map((total) => {
      const { index } = total.attrs;
      const part = total.inputs[0] as Value;
      const stage = stageOf.get(part) as number;
      const shape = [...part.shape];
      return { part: `part_${index}`, total: `total_${index}`, stage, collective: collectiveOf(total), shape };
    })
    .sort((a, b) => a.stage - b.stage);
}

function collectiveOf({ op, attrs }: Value): Collective {
  if (op === 'AllReduce') return { kind: 'all-reduce', reduction: attrs.reduction as Combination };
  return { kind: op === 'AllGather' ? 'all-gather' : 'reduce-scatter', axis: attrs.axis as number };
}
