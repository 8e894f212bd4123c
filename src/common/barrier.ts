import { availableParallelism } from 'node:os';
import type { Control } from './control.js';

/** Milliseconds for which a thread looks at the generation word before it goes to sleep: several times the price of being woken. */
const PATIENCE = 0.2;
/** How often it looks from one glance at the clock to the next. */
const LOOKS = 64;
/** Tells a core that this thread only waits, so that the thread on its other half gets more of it. Node 20 has nothing for that. */
const pause = (Atomics as { pause?: () => void }).pause ?? (() => {});

/**
 * A meeting point of `parties` threads. Whoever comes last opens it. Spins first, since threads that share a batch come at
 * nearly the same time; with more threads than cores spinning would only keep the late one from running.
 */
export class Barrier {
  readonly #control: Control;
  readonly #parties: number;
  readonly #patience: number;

  constructor(control: Control, parties: number) {
    this.#control = control;
    this.#parties = parties;
    this.#patience = parties <= availableParallelism() ? PATIENCE : 0;
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
    if (this.#patience > 0 && this.#seesOther(generation)) return;
    while (control.generation === generation) {
      control.throwIfAborted();
      control.sleepWhile(generation);
    }
  }

  /** Whether the generation is another one within the thread's patience. By the clock: code that is not compiled yet looks slowly. */
  #seesOther(generation: number): boolean {
    const control = this.#control;
    const end = performance.now() + this.#patience;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (control.generation !== generation) return true;
        pause();
      }
    } while (performance.now() < end);
    return false;
  }
}
