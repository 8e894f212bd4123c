import type { TimeSplit } from '../common/protocol.js';

/** What a thread's time goes into, in seconds: all that has passed since the last lap counts as the part that a lap names. */
export class Stopwatch {
  #time: TimeSplit = noTime();
  #last = 0;

  get time(): TimeSplit {
    return this.#time;
  }

  /** Begins anew, with nothing noted. */
  start(): void {
    this.#time = noTime();
    this.#last = performance.now();
  }

  lap(part: keyof TimeSplit): void {
    const now = performance.now();
    this.#time[part] += (now - this.#last) / 1000;
    this.#last = now;
  }
}

function noTime(): TimeSplit {
  return { gather: 0, compute: 0, wait: 0, exchange: 0, reduce: 0 };
}
