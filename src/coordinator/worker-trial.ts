/** What a number of workers took for an update. */
export interface TriedWorkers {
  workers: number;
  /** Mean over the updates of the trial. */
  millisecondsPerUpdate: number;
}

/** Seconds of training with all workers before any is measured: new threads are slow at first, and several more so than one. */
const WARM_UP_SECONDS = 0.25;
/** Seconds of training that tell how fast a number of workers is. */
const ENOUGH_SECONDS = 0.05;
/** How much slower fewer workers must be for still fewer not to be tried. */
const CLEARLY_SLOWER = 1.1;

/**
 * Finds the fastest number of workers while they train, once they are warm: all, then half of them, and so on down to one, as long
 * as it does not get clearly slower; and all once more, before fewer are settled on. Results do not depend on it, since shards are what they are.
 */
export class WorkerTrial {
  readonly tried: TriedWorkers[] = [];
  /** Mini-batches of an update: trials are of whole ones. */
  readonly #multiple: number;
  #workers: number;
  #settled = false;
  #confirming = false;
  #warmUpLeft = WARM_UP_SECONDS;
  #next: number;
  #warm = false;
  #seconds = 0;
  #steps = 0;

  readonly #all: number;

  /** @param multiple mini-batches that make an update. */
  constructor(all: number, multiple: number) {
    this.#all = all;
    this.#workers = all;
    this.#multiple = multiple;
    this.#next = multiple;
    this.#settled = all === 1;
  }

  /** Workers for the next pass; once it has settled, for all that follow. */
  get workers(): number {
    return this.#workers;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Mini-batches of the next pass, of the `left` ones of an epoch. */
  steps(left: number): number {
    return this.#settled ? left : Math.min(left, this.#next);
  }

  /** Takes in how long a pass took. */
  add(steps: number, seconds: number): void {
    if (this.#settled) return;
    this.#next *= 2;
    if (this.#warmUpLeft > 0) {
      this.#warmUpLeft -= seconds;
      if (this.#warmUpLeft <= 0) this.#begin(this.#all);
      return;
    }
    // The first pass of a number of workers fills caches. It counts only where it was long enough for that not to show.
    if (!this.#warm && seconds < ENOUGH_SECONDS) {
      this.#warm = true;
      return;
    }
    this.#seconds += seconds;
    this.#steps += steps;
    if (this.#seconds >= ENOUGH_SECONDS) this.#conclude();
  }

  #conclude(): void {
    const millisecondsPerUpdate = (this.#seconds / this.#steps) * this.#multiple * 1000;
    const before = this.tried.find(({ workers }) => workers === this.#workers);
    if (before) before.millisecondsPerUpdate = Math.min(before.millisecondsPerUpdate, millisecondsPerUpdate);
    else this.tried.push({ workers: this.#workers, millisecondsPerUpdate });
    const best = this.tried.reduce((a, b) => (b.millisecondsPerUpdate < a.millisecondsPerUpdate ? b : a));
    const slower = millisecondsPerUpdate > CLEARLY_SLOWER * best.millisecondsPerUpdate;
    if (!this.#confirming && !slower && this.#workers > 1) {
      this.#begin(Math.floor(this.#workers / 2));
    } else if (!this.#confirming && best.workers !== this.#all) {
      // All of them came first, when everything was new: once more.
      this.#confirming = true;
      this.#begin(this.#all);
    } else {
      this.#workers = best.workers;
      this.#settled = true;
    }
  }

  #begin(workers: number): void {
    this.#workers = workers;
    this.#next = this.#multiple;
    this.#warm = false;
    this.#seconds = 0;
    this.#steps = 0;
  }
}
