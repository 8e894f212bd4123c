import type { Control } from '../common/control.js';
import { LINE } from '../common/parameters.js';

/** How many mini-batches of the epoch each worker has applied, for rules in which workers go at their own pace. */
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
    for (let at = 0; at < this.#words.length; at += LINE) slowest = Math.min(slowest, Atomics.load(this.#words, at));
    return slowest;
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
    Atomics.store(this.#words, this.#rank * LINE, steps);
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
