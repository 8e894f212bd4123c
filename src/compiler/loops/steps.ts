/** Which step computes what: between two meetings of shards, ONNX Runtime and loops take turns. */
import { isAtHand } from '../graph/at-hand.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { findMakers, isLarge, type LoopChoice, type Maker } from './find-loops.js';
import { fitsLoop, isSum, isView, loopSize, operandsOf, sourceOf, viewed } from './loopable.js';
import { commonExtents } from './make-loop.js';
import { recompute } from './recompute.js';

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
  for (;;) {
    const makers = findMakers(order, loops, refused);
    const steps = new Turns(order, roots, stageOf, makers).steps();
    const before = refused.size;
    for (const step of steps) if (step.maker === 'loop') refuse(step, roots, order, refused);
    if (loops === 'large' && refused.size === before) refuseLone(steps, refused);
    if (refused.size > before) continue;
    recompute(steps, order, roots);
    return steps;
  }
}

/** Adds to `refused` what cannot be computed in its loop. */
function refuse(step: Step, roots: readonly Value[], order: readonly Value[], refused: Set<Value>): void {
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
  for (const value of step.values.filter(({ dtype }) => dtype === 'bool')) {
    const isRoot = roots.some((root) => viewed(root) === value);
    const goesOut = order.some(
      (user) => !own.has(user) && !isView(user) && user.inputs.some((input) => viewed(input) === value),
    );
    if (isRoot || goesOut) refused.add(value);
  }
}

/** Adds what has no axes in common with the others before it. */
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

class Turns {
  readonly #order: readonly Value[];
  readonly #stageOf: ReadonlyMap<Value, number>;
  readonly #makers: ReadonlyMap<Value, Maker>;
  readonly #turns = new Map<Value, number>();
  readonly #roots: ReadonlySet<Value>;

  constructor(
    order: readonly Value[],
    roots: readonly Value[],
    stageOf: ReadonlyMap<Value, number>,
    makers: ReadonlyMap<Value, Maker>,
  ) {
    this.#order = order;
    this.#stageOf = stageOf;
    this.#roots = new Set(roots);
    this.#makers = makers;
    for (const value of order) {
      const turns = this.#sources(value).map((source) => this.#turnOf(source) + this.#between(source, value));
      this.#turns.set(value, Math.max(0, ...turns));
    }
    this.#delay(new Set(roots.map(viewed)));
  }

  steps(): Step[] {
    const steps = new Map<string, Step>();
    for (const value of this.#order) {
      if (isAtHand(value) && value.op !== 'Constant' && !this.#roots.has(value)) continue;
      if (isView(value) && this.#makerOf(viewed(value)) !== 'runtime') continue;
      const key = this.#key(value, this.#turnOf(value));
      const stage = this.#stageOf.get(value) as number;
      const step = steps.get(key) ?? {
        stage,
        turn: this.#turnOf(value),
        maker: this.#makerOf(value),
        size: this.#sizeOf(value),
        extents: [],
        values: [],
      };
      steps.set(key, step);
      step.values.push(value);
    }
    return [...steps.values()].sort((a, b) => a.stage - b.stage || a.turn - b.turn || a.size - b.size);
  }

  /** What a value is computed from in its own stage, and is not known before. */
  #sources(value: Value): Value[] {
    return this.#inputs(value).filter(
      (source) => !isAtHand(source) && this.#stageOf.get(source) === this.#stageOf.get(value),
    );
  }

  /** What a value is computed from. */
  #inputs(value: Value): Value[] {
    if (this.#makerOf(value) !== 'loop') return value.inputs.map(viewed);
    return operandsOf(value).map((operand) => sourceOf(value, operand));
  }

  /** Whether `value` must wait for the turn after that of `source`: another kind of step, or a sum, which is known at the end of a pass. */
  #between(source: Value, value: Value): number {
    const maker = this.#makerOf(source);
    const isSame = maker === this.#makerOf(value) && this.#sizeOf(source) === this.#sizeOf(value);
    return isSame && (maker === 'runtime' || (maker === 'loop' && !isSum(source))) ? 0 : 1;
  }

  /** What is first needed in a later turn is computed there, if it is no more work to keep what it is made of: less is carried. */
  #delay(roots: ReadonlySet<Value>): void {
    const keys = new Set(this.#order.map((value) => this.#key(value, this.#turnOf(value))));
    const latest = new Map<Value, number>();
    for (const value of [...this.#order].reverse()) {
      const stage = this.#stageOf.get(value) as number;
      let turn = latest.get(value) ?? this.#turnOf(value);
      if (roots.has(value) || !canWait(value)) turn = this.#turnOf(value);
      while (turn > this.#turnOf(value) && !keys.has(this.#key(value, turn))) turn--;
      this.#turns.set(value, turn);
      for (const source of this.#inputs(value)) {
        const isLater = stage !== this.#stageOf.get(source);
        const bound = isLater ? this.#turnOf(source) : turn - this.#between(source, value);
        latest.set(source, Math.min(latest.get(source) ?? bound, bound));
      }
    }
  }

  #key(value: Value, turn: number): string {
    return `${this.#stageOf.get(value)} ${turn} ${this.#makerOf(value)} ${this.#sizeOf(value)}`;
  }

  #sizeOf(value: Value): number {
    return this.#makerOf(value) === 'loop' ? loopSize(value) : 0;
  }

  #makerOf(value: Value): Maker {
    return this.#makers.get(value) ?? 'runtime';
  }

  #turnOf(value: Value): number {
    return this.#turns.get(value) as number;
  }
}

function canWait(value: Value): boolean {
  const { op, dtype, inputs, shape } = value;
  if (op.startsWith('#')) return false;
  if (dtype === 'bool' && fitsLoop(value)) return true;
  const sizes = inputs.filter((input) => !isAtHand(input)).map((input) => sizeOf(input.shape));
  return sizes.reduce((a, b) => a + b, 0) <= 1.1 * sizeOf(shape);
}
