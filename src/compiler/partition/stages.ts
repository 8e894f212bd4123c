/** Cuts a shard's program into stages, between which the shards meet and exchange their parts of totals. */
import type {
  Collective,
  Combination,
  Copy,
  Exchange,
  NamedSpec,
  ProgramLoops,
  ProgramStage,
  TensorSpec,
} from '../../common/program.js';
import { isAtHand, isExchange } from '../graph/at-hand.js';
import { sizeOf } from '../graph/shapes.js';
import { topologicalOrder, type Value } from '../graph/value.js';
import { hasLoops, type LoopChoice } from '../loops/find-loops.js';
import { type Loop, loopFunction } from '../loops/loop-function.js';
import { fitsLoop, operandsOf, sourceOf, viewed } from '../loops/loopable.js';
import { makeLoop } from '../loops/make-loop.js';
import { type Lifetime, planMemory } from '../loops/plan-memory.js';
import { type Step, stepsOf } from '../loops/steps.js';
import { encodeModule } from '../loops/wasm-code.js';
import { savedByLoops } from '../loops/worth.js';
import { encodeModel, type NamedValue } from '../onnx/encode.js';

export interface Staged {
  stages: ProgramStage[];
  carried: NamedSpec[];
  exchanges: Exchange[];
  loops?: ProgramLoops;
  /** Nanoseconds that loops are expected to save. */
  savedByLoops: number;
}

const MOVES = new Set(['Constant', 'Expand', 'Pad', 'Reshape', 'Slice', 'Transpose']);

/** Done again in each step that needs them. */
const REPEATED = new Set(['Constant', 'Expand', 'Reshape', 'Slice']);

/** Cheaper to do again than to carry along; int64 indices are of no type that can be carried. */
function isRepeated({ op, dtype }: Value, made: Step, used: Step): boolean {
  return dtype === 'int64' || REPEATED.has(op) || (MOVES.has(op) && made.stage !== used.stage);
}

/**
 * The stages of a program, what their steps carry on, and what shards exchange between them.
 *
 * @param inputs all inputs of the program by name.
 * @param outputs all outputs by name.
 * @param loops what loops compute (see `loops`); default: nothing.
 */
export function cutStages(inputs: readonly NamedValue[], outputs: readonly NamedValue[], loops?: LoopChoice): Staged {
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

  const names = new Map(inputs.map(({ name, value }) => [value, name]));
  for (const total of totals) names.set(total, `total_${total.attrs.index}`);
  return {
    ...new StepEncoder(steps, ends, names).encode(),
    exchanges: exchangesOf(totals, stageOf),
    savedByLoops: savedByLoops(steps),
  };
}

/** A carried value with its name, and the steps that it must outlive. */
interface Carried extends NamedValue {
  first: number;
  last: number;
}

/** Loops by number, alike ones once. */
class LoopSet {
  readonly #loops = new Map<string, Loop>();

  get size(): number {
    return this.#loops.size;
  }

  add(loop: Loop): number {
    const key = JSON.stringify(loop);
    if (!this.#loops.has(key)) this.#loops.set(key, loop);
    return [...this.#loops.keys()].indexOf(key);
  }

  encode(): Uint8Array {
    return encodeModule([...this.#loops.values()].map(loopFunction));
  }
}

class StepEncoder {
  readonly #steps: readonly Step[];
  readonly #stepOf = new Map<Value, number>();
  readonly #names: Map<Value, string>;
  readonly #carried = new Map<Value, Carried>();
  /** What each step is asked for. */
  readonly #ends: NamedValue[][];

  constructor(steps: readonly Step[], ends: readonly NamedValue[], names: Map<Value, string>) {
    this.#steps = steps;
    this.#names = names;
    this.#ends = steps.map(() => []);
    steps.forEach(({ values }, index) => {
      // The first step that computes a value is the one that keeps it: later ones compute it again for themselves.
      for (const value of values) if (!this.#stepOf.has(value)) this.#stepOf.set(value, index);
    });
    for (const end of ends) this.#ends[this.#stepOf.get(end.value) as number]?.push(end);
  }

  encode(): Omit<Staged, 'exchanges' | 'savedByLoops'> {
    const given: NamedValue[][] = [];
    // From the last to the first: what a step lacks is asked of those before it.
    for (let index = this.#steps.length - 1; index >= 0; index--) {
      given[index] = this.#boundary(index).map((value) => ({ name: this.#nameFor(value, index), value }));
    }
    const count = Math.max(0, ...this.#steps.map(({ stage }) => stage)) + 1;
    const stages: ProgramStage[] = Array.from({ length: count }, () => []);
    const lifetimes = [...this.#carried.values()].filter(({ value }) => value.dtype === 'float32');
    const memory = planMemory(lifetimes.map((carried): Lifetime => ({ ...carried, spec: specOf(carried) })));
    const loops = new LoopSet();
    this.#steps.forEach((step, index) => {
      const ends = this.#ends[index] as NamedValue[];
      if (ends.length === 0) return;
      const nameOf = ({ name }: NamedValue): string => name;
      const stage = stages[step.stage] as ProgramStage;
      if (step.maker === 'loop') {
        const kept = new Set(ends.map(({ value }) => value));
        const placeOf = (value: Value): number => {
          const place = memory.places[this.#carried.get(value)?.name ?? ''];
          if (place === undefined)
            throw new Error(`a loop needs ${value.op}, of type ${value.dtype}, which has no place`);
          return place;
        };
        const { loop, addresses } = makeLoop(step.values, kept, step.extents, placeOf);
        stage.push({ loop: loops.add(loop), addresses });
      } else if (step.maker === 'copy') {
        stage.push({ copies: ends.flatMap((end) => this.#copiesTo(end, index)) });
      } else {
        const inputs = given[index] as NamedValue[];
        stage.push({ onnx: encodeModel(inputs, ends), inputs: inputs.map(nameOf), outputs: ends.map(nameOf) });
      }
    });
    const carried = [...this.#carried.values()].map(specOf);
    return loops.size === 0 ? { stages, carried } : { stages, carried, loops: { wasm: loops.encode(), ...memory } };
  }

  /** What a step takes from outside: inputs of the program, totals, and what earlier steps have computed. */
  #boundary(index: number): Value[] {
    const step = this.#steps[index] as Step;
    const own = new Set(step.values);
    if (step.maker === 'copy') {
      const sources = step.values.flatMap(({ inputs }) => inputs).filter(({ splat }) => splat === undefined);
      return [...new Set(sources.map(viewed))];
    }
    if (step.maker === 'loop') {
      return [
        ...new Set(step.values.flatMap((value) => operandsOf(value).map((operand) => sourceOf(value, operand)))),
      ].filter((v) => !own.has(v));
    }
    const isGiven = (value: Value): boolean => {
      if (value.op !== 'Constant' && isAtHand(value)) return true;
      const made = this.#stepOf.get(value);
      return made !== undefined && made < index && !isRepeated(value, this.#steps[made] as Step, step);
    };
    return topologicalOrder(
      (this.#ends[index] as NamedValue[]).map(({ value }) => value),
      isGiven,
    ).filter(isGiven);
  }

  /** A copy, or pieces one behind the other. */
  #copiesTo({ name, value }: NamedValue, index: number): Copy[] {
    let at = 0;
    return value.inputs.map((input) => {
      const length = sizeOf(input.shape);
      const copy = { from: input.splat ?? this.#nameFor(viewed(input), index), to: name, at, length };
      at += length;
      return copy;
    });
  }

  /** The name of a value that a step takes from outside, of which an earlier one is asked if need be. */
  #nameFor(value: Value, index: number): string {
    const known = this.#carried.get(value);
    if (known) return known.name;
    const name = this.#names.get(value);
    if (name) return name;
    const first = this.#stepOf.get(value) as number;
    const made: Carried = { name: `carried_${this.#carried.size}`, value, first, last: index };
    this.#carried.set(value, made);
    this.#ends[first]?.push(made);
    return made.name;
  }
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
    if (use > (stageOf.get(value) as number) && canWait(value, withLoops)) stageOf.set(value, use);
    // A part must be there for the meeting before its total.
    const own = (stageOf.get(value) as number) - Number(isExchange(value));
    for (const input of value.inputs) firstUse.set(input, Math.min(firstUse.get(input) ?? own, own));
  }
  return stageOf;
}

/** What a loop finds true or false can only be used in that loop. */
function canWait(value: Value, withLoops: boolean): boolean {
  const { op, dtype, shape, inputs } = value;
  if (isExchange(value) || op.startsWith('#')) return false;
  if (withLoops && dtype === 'bool' && fitsLoop(value)) return true;
  const sizes = inputs.filter((input) => !isAtHand(input)).map((input) => sizeOf(input.shape));
  return sizes.reduce((a, b) => a + b, 0) <= 1.1 * sizeOf(shape);
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
