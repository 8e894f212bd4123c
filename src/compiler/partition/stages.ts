/** Cuts a shard's program into stages, between which the shards meet and exchange their parts of totals. */
import type { Collective, Combination, Exchange } from '../../common/program.js';
import { canWait, isExchange } from '../graph/at-hand.js';
import { topologicalOrder, type Value } from '../graph/value.js';
import { hasLoops, type LoopChoice } from '../loops/find-loops.js';
import { isMask } from '../loops/loopable.js';
import { stepsOf } from '../loops/steps.js';
import { savedByLoops } from '../loops/worth.js';
import type { NamedValue } from '../onnx/encode.js';
import { type EncodedSteps, encodeSteps } from './encode-steps.js';

/** What a program is made of, beside its own inputs and outputs. */
export interface Staged extends EncodedSteps {
  exchanges: Exchange[];
}

/**
 * The stages of a program, what their steps carry on, and what shards exchange between them.
 *
 * @param inputs all inputs of the program by name.
 * @param outputs all outputs by name.
 * @param loops what loops compute (see `loops/loopable`); default: nothing.
 * @returns undefined if loops for what is large would save nothing.
 */
export function cutStages(
  inputs: readonly NamedValue[],
  outputs: readonly NamedValue[],
  loops?: LoopChoice,
): Staged | undefined {
  const order = topologicalOrder(outputs.map(({ value }) => value));
  const stageOf = stagesOf(
    order,
    outputs.map(({ value }) => value),
    loops !== undefined && hasLoops(order, loops),
  );
  const totals = order.filter(isExchange);
  const parts = totals.map(({ attrs, inputs }) => ({ name: `part_${attrs.index}`, value: inputs[0] as Value }));
  const ends = [...outputs, ...parts];
  const steps = stepsOf(
    order,
    ends.map(({ value }) => value),
    stageOf,
    loops,
  );
  if (loops === 'large' && savedByLoops(steps) <= 0) return undefined;
  const names = new Map(inputs.map(({ name, value }) => [value, name]));
  for (const total of totals) names.set(total, `total_${total.attrs.index}`);
  return { ...encodeSteps(steps, ends, names), exchanges: exchangesOf(totals, stageOf) };
}

/**
 * A value can be computed as soon as the totals it needs are known. It is computed when it is first used, if it takes no less
 * to keep than what it is made of: less is carried from stage to stage then.
 */
function stagesOf(order: readonly Value[], outputs: readonly Value[], withLoops: boolean): Map<Value, number> {
  const stageOf = new Map<Value, number>();
  for (const value of order) {
    const before = value.inputs.reduce((most, input) => Math.max(most, stageOf.get(input) as number), 0);
    stageOf.set(value, before + Number(isExchange(value)));
  }
  const firstUse = new Map(outputs.map((value) => [value, stageOf.get(value) as number]));
  for (const value of [...order].reverse()) {
    const use = firstUse.get(value) ?? 0;
    if (use > (stageOf.get(value) as number) && (canWait(value) || (withLoops && isMask(value))))
      stageOf.set(value, use);
    // A part must be there for the meeting before its total.
    const own = (stageOf.get(value) as number) - Number(isExchange(value));
    for (const input of value.inputs) firstUse.set(input, Math.min(firstUse.get(input) ?? own, own));
  }
  return stageOf;
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
