/** Words that all threads share. Each stands on a cache line of its own, so that polling one does not slow another. */

const WORDS_PER_LINE = 16;

const WORD = {
  abort: 0,
  stop: 1,
  arrived: 2,
  generation: 3,
  stepsDone: 4,
  stoppedAt: 5,
  exiting: 6,
  inside: 7,
} as const;

export const CONTROL_WORDS = Object.keys(WORD).length * WORDS_PER_LINE;

/** Value of the abort word when the coordinator, not a worker, gave up. */
const COORDINATOR = 0x7fffffff;

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
    Atomics.notify(this.#words, at('generation'));
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

  /** Whether the epoch ends after the step just done. One rank decides it before a barrier, all read it behind. */
  get stopped(): boolean {
    return Atomics.load(this.#words, at('stoppedAt')) !== 0;
  }

  set stopped(value: boolean) {
    Atomics.store(this.#words, at('stoppedAt'), value ? 1 : 0);
  }

  /**
   * Makes a call into native code, which aborts the whole process if its thread is ended under it. Once the process is
   * exiting the thread sleeps here instead, until it is ended.
   */
  callNative<T>(call: () => T): T {
    Atomics.add(this.#words, at('inside'), 1);
    if (Atomics.load(this.#words, at('exiting')) !== 0) {
      this.#leaveNative();
      Atomics.wait(this.#words, at('exiting'), 1);
    }
    try {
      return call();
    } finally {
      this.#leaveNative();
    }
  }

  #leaveNative(): void {
    Atomics.sub(this.#words, at('inside'), 1);
    Atomics.notify(this.#words, at('inside'));
  }

  /** Lets no worker enter native code any more, and blocks until those inside have left, or `milliseconds` have passed. */
  holdNativeCalls(milliseconds: number): void {
    Atomics.store(this.#words, at('exiting'), 1);
    const end = performance.now() + milliseconds;
    for (let left = milliseconds; left > 0; left = end - performance.now()) {
      const inside = Atomics.load(this.#words, at('inside'));
      if (inside === 0) return;
      Atomics.wait(this.#words, at('inside'), inside, left);
    }
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

  /** Sleeps until the generation is no longer `generation`, or `milliseconds` have passed. */
  sleepWhile(generation: number, milliseconds: number): void {
    Atomics.wait(this.#words, at('generation'), generation, milliseconds);
  }
}

function at(word: keyof typeof WORD): number {
  return WORD[word] * WORDS_PER_LINE;
}
