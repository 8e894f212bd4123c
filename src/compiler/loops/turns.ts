/** In which order the steps of a stage come. */
import { canWait, isAtHand } from '../graph/at-hand.js';
import type { Value } from '../graph/value.js';
import type { Maker } from './find-loops.js';
import { isMask, isSum, isView, loopSize, operandsOf, sourceOf, viewed } from './loopable.js';
import type { Step } from './steps.js';

/**
 * Within a stage ONNX Runtime, loops and copies take turns: a value is made in the turn of what it is made of if the same maker makes both in one go,
 * and in the next if not. Of `relu(x w) + y`, the product is turn 0, ReLU and sum are turn 1, and a product with them is turn 2.
 */
export class Turns {
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
      const turns = this.#sources(value).map((source) => this.#turnOf(source) + this.#turnsBetween(source, value));
      this.#turns.set(value, Math.max(0, ...turns));
    }
    this.#delay(new Set(roots.map(viewed)));
  }

  steps(): Step[] {
    const steps = new Map<string, Step>();
    for (const value of this.#order) {
      if (isAtHand(value) && value.op !== 'Constant' && !this.#roots.has(value)) continue;
      if (isView(value) && this.#makerOf(viewed(value)) !== 'runtime' && !this.#roots.has(value)) continue;
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
  #turnsBetween(source: Value, value: Value): number {
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
      if (roots.has(value) || !(canWait(value) || isMask(value))) turn = this.#turnOf(value);
      while (turn > this.#turnOf(value) && !keys.has(this.#key(value, turn))) turn--;
      this.#turns.set(value, turn);
      for (const source of this.#inputs(value)) {
        const isLater = stage !== this.#stageOf.get(source);
        const bound = isLater ? this.#turnOf(source) : turn - this.#turnsBetween(source, value);
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
