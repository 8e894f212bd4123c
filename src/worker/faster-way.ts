/** Steps whose times are compared. Of these the median: single ones take twice as long at times. */
const SAMPLES = 9;
/**
 * Steps before those: the first ones behind a change find the caches as the other way has left them. With these, samples of a trial come twelve steps
 * behind those that they are compared with: where every second step takes longer, or every third or fourth, both have as many of them.
 */
const SETTLING = 3;
/** Steps from one trial to the next at first. The price of trials that change nothing falls to one step in 44. */
const SOON = 48;
const SELDOM = 512;
/** What part of the other's time is clearly less. */
const CLEARLY_LESS = 0.97;

/**
 * Finds out which of two ways of doing a step is faster, while steps are done. It may change: machines have several users, and threads
 * do not stay on their cores. So the other way has a trial now and then, soon again where that made a difference.
 */
export class FasterWay {
  #isSecond = false;
  #isTrial = false;
  /** Steps to go: of the trial, or before the next one. */
  #left = SOON;
  #interval = SOON;
  /** Milliseconds of steps. */
  #times: number[] = [];
  /** Of the way in use, before the trial. */
  #usual = 0;

  /** Whether the second way has been found to be the faster one. */
  get isSecond(): boolean {
    return this.#isSecond;
  }

  /** Goes on with other steps of the same kind: a trial that has not ended is dropped. */
  resume(): void {
    this.#left = this.#isTrial ? this.#interval : Math.max(this.#left, SAMPLES);
    this.#isTrial = false;
    this.#times = [];
  }

  /** Goes on with steps of another kind: the next trial is soon. */
  restart(): void {
    this.resume();
    this.#interval = SOON;
    this.#left = SOON;
  }

  /**
   * Whether the next step is to be done in the second way.
   *
   * @param milliseconds what the last one took.
   */
  next(milliseconds: number): boolean {
    if (--this.#left < SAMPLES) this.#times.push(milliseconds);
    if (this.#left === 0) this.#compare();
    return this.#isSecond !== this.#isTrial;
  }

  #compare(): void {
    const time = median(this.#times.splice(0));
    if (!this.#isTrial) {
      this.#usual = time;
      this.#left = SETTLING + SAMPLES;
    } else {
      const isFaster = time < CLEARLY_LESS * this.#usual;
      if (isFaster) this.#isSecond = !this.#isSecond;
      this.#interval = isFaster ? SOON : Math.min(4 * this.#interval, SELDOM);
      this.#left = this.#interval;
    }
    this.#isTrial = !this.#isTrial;
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
