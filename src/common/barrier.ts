import { availableParallelism } from 'node:os';
import type { Control } from './control.js';

/** Loads of the generation word before a thread goes to sleep: tens of microseconds, the price of being woken. */
const SPINS = 20_000;

/**
 * A meeting point of `parties` threads. Whoever comes last opens it. Spins first, since threads that share a batch come at
 * nearly the same time; with more threads than cores spinning would only keep the late one from running.
 */
export class Barrier {
  readonly #control: Control;
  readonly #parties: number;
  readonly #spins: number;

  constructor(control: Control, parties: number) {
    this.#control = control;
    this.#parties = parties;
    this.#spins = parties <= availableParallelism() ? SPINS : 0;
  }

  /**
   * Returns once all parties have called it. What one wrote before, all read behind it.
   *
   * @throws AbortedError as soon as any thread has aborted.
   */
  wait(): void {
    const control = this.#control;
    control.throwIfAborted();
    const generation = control.generation;
    if (control.arrive() === this.#parties) {
      control.release();
      return;
    }
    for (let i = 0; i < this.#spins; i++) {
      if (control.generation !== generation) return;
    }
    while (control.generation === generation) {
      control.throwIfAborted();
      control.sleepWhile(generation);
    }
  }
}
