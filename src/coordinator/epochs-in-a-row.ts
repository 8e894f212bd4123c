/** Seconds for which nobody needs to know how far training is. */
const SECONDS = 0.25;

/**
 * How many epochs the workers are told to train in a row. Between two of them they have nothing to do for a millisecond or more, until
 * the coordinator has heard of one and has told them of the next: longer than an epoch over little data may take.
 */
export class EpochsInARow {
  readonly #most: number;
  #secondsOfOne = Number.POSITIVE_INFINITY;

  /** @param most 1 where anything is to be done between two epochs. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Epochs to train next, of `left`: as many as the last ones say are short enough. */
  next(left: number): number {
    return Math.max(1, Math.min(left, this.#most, Math.floor(SECONDS / this.#secondsOfOne)));
  }

  /** Takes in how long so many epochs took together, the telling of them included. */
  add(epochs: number, seconds: number): void {
    this.#secondsOfOne = seconds / epochs;
  }
}
