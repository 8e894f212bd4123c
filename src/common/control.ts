/** Words that all threads share. Each stands on a cache line of its own, so that polling one does not slow another. */

const WORDS_PER_LINE = 16;

const WORD = {
  abort: 0,
  stop: 1,
  arrived: 2,
  generation: 3,
  stepsDone: 4,
  stopped: 5,
  version: 6,
  mutex: 7,
  ticks: 8,
  pushing: 9,
} as const;

export const CONTROL_WORDS = Object.keys(WORD).length * WORDS_PER_LINE;

/** Value of the abort word when the coordinator, not a worker, gave up. */
const COORDINATOR = 0x7fffffff;

/** A sleeping thread looks at the abort word this often, should a wake-up be lost with the thread that owed it. */
const SLEEP_MILLISECONDS = 200;

/** Thrown in every waiting thread once one has failed: never the cause itself. */
export class AbortedError extends Error {
  override name = 'AbortedError';
}

/** Typed access to the control words of an arena. */
export class Control {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    if (words.length < CONTROL_WORDS) throw new RangeError(`control needs ${CONTROL_WORDS} words, got ${words.length}`);
    this.#words = words;
  }

  /** Ends every wait of every thread with an error. `rank` is the worker at fault, if one is. The first call wins. */
  abort(rank?: number): void {
    Atomics.compareExchange(this.#words, at('abort'), 0, rank === undefined ? COORDINATOR : rank + 1);
    for (const word of ['generation', 'mutex', 'ticks'] as const) Atomics.notify(this.#words, at(word));
  }

  /** @throws AbortedError if any thread has called `abort`. */
  throwIfAborted(): void {
    const word = Atomics.load(this.#words, at('abort'));
    if (word === 0) return;
    throw new AbortedError(word === COORDINATOR ? 'training was abandoned' : `worker ${word - 1} failed`);
  }

  /** Asks the workers to end the epoch, or the evaluation, after the mini-batch they are at. */
  requestStop(): void {
    Atomics.store(this.#words, at('stop'), 1);
  }

  /** Takes the request back, for the epoch or evaluation to come. */
  clearStop(): void {
    Atomics.store(this.#words, at('stop'), 0);
  }

  get stopRequested(): boolean {
    return Atomics.load(this.#words, at('stop')) !== 0;
  }

  /** Mini-batches of the current epoch whose update stands in the weights. */
  get stepsDone(): number {
    return Atomics.load(this.#words, at('stepsDone'));
  }

  set stepsDone(steps: number) {
    Atomics.store(this.#words, at('stepsDone'), steps);
  }

  /** Sets `stepsDone`, unless another thread has set it further already. */
  raiseStepsDone(steps: number): void {
    for (let done = this.stepsDone; done < steps; ) {
      const before = Atomics.compareExchange(this.#words, at('stepsDone'), done, steps);
      if (before === done) return;
      done = before;
    }
  }

  /** Whether the epoch ends after the step just done. One rank decides it before a barrier, all read it behind. */
  get stopped(): boolean {
    return Atomics.load(this.#words, at('stopped')) !== 0;
  }

  set stopped(value: boolean) {
    Atomics.store(this.#words, at('stopped'), value ? 1 : 0);
  }

  /** Whether workers push gradients and weights in the next step. One rank decides it before a barrier, all read it behind. */
  get pushing(): boolean {
    return Atomics.load(this.#words, at('pushing')) !== 0;
  }

  set pushing(value: boolean) {
    Atomics.store(this.#words, at('pushing'), value ? 1 : 0);
  }

  /** Counts one more arrival at the barrier and returns how many have arrived by now. */
  arrive(): number {
    return Atomics.add(this.#words, at('arrived'), 1) + 1;
  }

  get generation(): number {
    return Atomics.load(this.#words, at('generation'));
  }

  /** Opens the barrier for everyone who waits, and sets it up for the next meeting. */
  release(): void {
    Atomics.store(this.#words, at('arrived'), 0);
    Atomics.add(this.#words, at('generation'), 1);
    Atomics.notify(this.#words, at('generation'));
  }

  /** Sleeps until the generation is no longer `generation`, or a while has passed. */
  sleepWhile(generation: number): void {
    Atomics.wait(this.#words, at('generation'), generation, SLEEP_MILLISECONDS);
  }

  /** Updates that have been applied to the weights: the version they are at. */
  get version(): number {
    return Atomics.load(this.#words, at('version'));
  }

  set version(updates: number) {
    Atomics.store(this.#words, at('version'), updates);
  }

  /** Counts one more update and returns how many were applied before it. */
  countUpdate(): number {
    return Atomics.add(this.#words, at('version'), 1);
  }

  /**
   * Runs `work` while no other thread runs any under this lock. Mutex of Drepper, "Futexes are tricky" (2011), second form:
   * 0 free, 1 held, 2 held and somebody may be asleep.
   *
   * @throws AbortedError as soon as any thread has aborted.
   */
  exclusively<T>(work: () => T): T {
    let state = Atomics.compareExchange(this.#words, at('mutex'), 0, 1);
    while (state !== 0) {
      this.throwIfAborted();
      if (state === 2 || Atomics.compareExchange(this.#words, at('mutex'), 1, 2) !== 0) {
        Atomics.wait(this.#words, at('mutex'), 2, SLEEP_MILLISECONDS);
      }
      state = Atomics.compareExchange(this.#words, at('mutex'), 0, 2);
    }
    try {
      return work();
    } finally {
      if (Atomics.exchange(this.#words, at('mutex'), 0) === 2) Atomics.notify(this.#words, at('mutex'), 1);
    }
  }

  /** Says that something `waitUntil` may wait for has happened. */
  tick(): void {
    Atomics.add(this.#words, at('ticks'), 1);
    Atomics.notify(this.#words, at('ticks'));
  }

  /**
   * Returns once `condition` holds; looks again after every `tick`.
   *
   * @throws AbortedError as soon as any thread has aborted.
   */
  waitUntil(condition: () => boolean): void {
    for (;;) {
      const ticks = Atomics.load(this.#words, at('ticks'));
      if (condition()) return;
      this.throwIfAborted();
      Atomics.wait(this.#words, at('ticks'), ticks, SLEEP_MILLISECONDS);
    }
  }
}

function at(word: keyof typeof WORD): number {
  return WORD[word] * WORDS_PER_LINE;
}
