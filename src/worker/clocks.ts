import type { Control } from '../common/control.js';
import { LINE } from '../common/parameters.js';

/** Words on a worker's line: mini-batches it has applied, and has begun. */
const APPLIED = 0;
const BEGUN = 1;

/** How far each worker is in the epoch, for rules in which workers go at their own pace. */
export class Clocks {
  readonly #words: Int32Array;
  readonly #control: Control;
  readonly #rank: number;
  #maxLead = 0;

  constructor(words: Int32Array, control: Control, rank: number) {
    this.#words = words;
    this.#control = control;
    this.#rank = rank;
  }

  /** Mini-batches that the slowest worker has applied. */
  get slowest(): number {
    let slowest = Number.POSITIVE_INFINITY;
    for (let line = 0; line < this.#words.length; line += LINE) {
      slowest = Math.min(slowest, Atomics.load(this.#words, line + APPLIED));
    }
    return slowest;
  }

  /**
   * Whether this worker is to begin mini-batch `step`. Once a stop is requested, only those that some worker has begun:
   * all end the epoch at the same mini-batch. Under the lock, so that nobody begins one while another counts.
   */
  begins(step: number): boolean {
    return this.#control.exclusively(() => {
      if (this.#control.stopRequested) return step < this.#mostBegun;
      Atomics.store(this.#words, this.#rank * LINE + BEGUN, step + 1);
      return true;
    });
  }

  get #mostBegun(): number {
    let most = 0;
    for (let line = 0; line < this.#words.length; line += LINE) {
      most = Math.max(most, Atomics.load(this.#words, line + BEGUN));
    }
    return most;
  }

  /** Waits until the slowest is at most `lead` mini-batches behind `step`, and notes how far behind it then is. */
  waitForSlowest(step: number, lead: number): void {
    if (step - this.slowest > lead) this.#control.waitUntil(() => step - this.slowest <= lead);
    this.noteLead(step - this.slowest);
  }

  noteLead(lead: number): void {
    this.#maxLead = Math.max(this.#maxLead, lead);
  }

  /** Says that this worker has applied `steps` mini-batches. */
  advance(steps: number): void {
    Atomics.store(this.#words, this.#rank * LINE + APPLIED, steps);
    this.#control.raiseStepsDone(this.slowest);
    this.#control.tick();
  }

  /** The largest lead since the last call, in mini-batches. */
  takeMaxLead(): number {
    const lead = this.#maxLead;
    this.#maxLead = 0;
    return lead;
  }
}
