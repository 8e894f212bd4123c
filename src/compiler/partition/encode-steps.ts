/** From the steps of a program to what workers run: ONNX graphs, WebAssembly functions and copies. */
import type {
  CopyStep,
  LoopStep,
  NamedSpec,
  ProgramLoops,
  ProgramStage,
  RuntimeStep,
  TensorSpec,
} from '../../common/program.js';
import { isAtHand } from '../graph/at-hand.js';
import { sizeOf } from '../graph/shapes.js';
import { topologicalOrder, type Value } from '../graph/value.js';
import { LoopSet } from '../loops/loop-set.js';
import { operandsOf, sourceOf, viewed } from '../loops/loopable.js';
import { makeLoop } from '../loops/make-loop.js';
import { type Lifetime, planMemory } from '../loops/plan-memory.js';
import type { Step } from '../loops/steps.js';
import { encodeModel, type NamedValue } from '../onnx/encode.js';

export interface EncodedSteps {
  stages: ProgramStage[];
  carried: NamedSpec[];
  loops?: ProgramLoops;
}

/** Done again in every stage. */
const MOVES = new Set(['Constant', 'Expand', 'Pad', 'Reshape', 'Slice', 'Transpose']);

/** Done again in each step that needs them. */
const REPEATED = new Set(['Constant', 'Expand', 'Reshape', 'Slice']);

/** Cheaper to do again than to carry along; int64 indices are of no type that can be carried. */
function isRepeated({ op, dtype }: Value, made: Step, used: Step): boolean {
  return dtype === 'int64' || REPEATED.has(op) || (MOVES.has(op) && made.stage !== used.stage);
}

/** A carried value with its name, the step that makes it and the last one that needs it. */
interface Carried extends NamedValue {
  first: number;
  last: number;
}

/**
 * The steps of a program, what they carry on, and the loops.
 *
 * @param ends what the program and the meetings of shards need, by name.
 * @param names of inputs and totals.
 */
export function encodeSteps(
  steps: readonly Step[],
  ends: readonly NamedValue[],
  names: ReadonlyMap<Value, string>,
): EncodedSteps {
  return new StepEncoder(steps, ends, names).encode();
}

class StepEncoder {
  readonly #steps: readonly Step[];
  readonly #stepOf = new Map<Value, number>();
  readonly #names: ReadonlyMap<Value, string>;
  readonly #carried = new Map<Value, Carried>();
  /** What each step is asked for. */
  readonly #ends: NamedValue[][];

  constructor(steps: readonly Step[], ends: readonly NamedValue[], names: ReadonlyMap<Value, string>) {
    this.#steps = steps;
    this.#names = names;
    this.#ends = steps.map(() => []);
    steps.forEach(({ values }, index) => {
      // The first step that computes a value is the one that keeps it: later ones compute it again for themselves.
      for (const value of values) if (!this.#stepOf.has(value)) this.#stepOf.set(value, index);
    });
    for (const end of ends) this.#endsOf(end.value).push(end);
  }

  encode(): EncodedSteps {
    const given: NamedValue[][] = [];
    // From the last to the first: what a step lacks is asked of those before it.
    for (let index = this.#steps.length - 1; index >= 0; index--) {
      this.#dropUnneeded(index);
      given[index] = this.#boundary(index).map((value) => ({ name: this.#nameFor(value, index), value }));
    }
    const lifetimes = [...this.#carried.values()].filter(({ value }) => value.dtype === 'float32');
    const memory = planMemory(lifetimes.map((carried): Lifetime => ({ ...carried, spec: specOf(carried) })));
    const loops = new LoopSet();
    const count = Math.max(0, ...this.#steps.map(({ stage }) => stage)) + 1;
    const stages: ProgramStage[] = Array.from({ length: count }, () => []);
    this.#steps.forEach(({ stage, maker }, index) => {
      if (this.#ends[index]?.length === 0) return;
      const encoded =
        maker === 'loop'
          ? this.#loop(index, memory.places, loops)
          : maker === 'copy'
            ? this.#copies(index)
            : this.#onnx(index, given[index] as NamedValue[]);
      stages[stage]?.push(encoded);
    });
    const carried = [...this.#carried.values()].map(specOf);
    return loops.size === 0 ? { stages, carried } : { stages, carried, loops: { wasm: loops.encode(), ...memory } };
  }

  #onnx(index: number, inputs: readonly NamedValue[]): RuntimeStep {
    const ends = this.#ends[index] as NamedValue[];
    const nameOf = ({ name }: NamedValue): string => name;
    return { onnx: encodeModel(inputs, ends), inputs: inputs.map(nameOf), outputs: ends.map(nameOf) };
  }

  #loop(index: number, places: Readonly<Record<string, number>>, loops: LoopSet): LoopStep {
    const { values, extents } = this.#steps[index] as Step;
    const kept = new Set(this.#ends[index]?.map(({ value }) => value));
    const placeOf = (value: Value): number => {
      const place = places[this.#carried.get(value)?.name ?? ''];
      if (place === undefined) throw new Error(`a loop needs ${value.op}, of type ${value.dtype}, which has no place`);
      return place;
    };
    const { loop, addresses } = makeLoop(values, kept, extents, placeOf);
    return { loop: loops.add(loop), addresses };
  }

  /** Copies, and pieces one behind the other. */
  #copies(index: number): CopyStep {
    const copies = (this.#ends[index] as NamedValue[]).flatMap(({ name, value }) => {
      let at = 0;
      return value.inputs.map((input) => {
        const length = sizeOf(input.shape);
        const copy = { from: input.splat ?? this.#nameFor(viewed(input), index), to: name, at, length };
        at += length;
        return copy;
      });
    });
    return { copies };
  }

  /** Leaves a loop what it is asked for, and what that needs: others may compute the rest again for themselves. */
  #dropUnneeded(index: number): void {
    const step = this.#steps[index] as Step;
    if (step.maker !== 'loop') return;
    const needed = new Set(this.#ends[index]?.map(({ value }) => value));
    for (const value of step.values.toReversed()) {
      if (needed.has(value)) for (const operand of operandsOf(value)) needed.add(sourceOf(value, operand));
    }
    step.values = step.values.filter((value) => needed.has(value));
  }

  #endsOf(value: Value): NamedValue[] {
    const ends = this.#ends[this.#stepOf.get(value) ?? -1];
    if (!ends) throw new Error(`no step computes ${value.op} of [${value.shape}]`);
    return ends;
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

  /** The name of a value that a step takes from outside, of which an earlier one is asked if need be. */
  #nameFor(value: Value, index: number): string {
    const known = this.#carried.get(value);
    if (known) return known.name;
    const name = this.#names.get(value);
    if (name) return name;
    const first = this.#stepOf.get(value) as number;
    const made: Carried = { name: `carried_${this.#carried.size}`, value, first, last: index };
    this.#carried.set(value, made);
    this.#endsOf(value).push(made);
    return made.name;
  }
}

function specOf({ name, value }: NamedValue): NamedSpec {
  return { name, shape: [...value.shape], dtype: value.dtype as TensorSpec['dtype'] };
}
