import type * as tf from '@tensorflow/tfjs';
import { show } from '../common/show.js';

/** What is watched, and what counts as better. */
export interface MonitorOptions {
  /** Name of a loss or metric in the logs of an epoch. Default 'val_loss'. */
  monitor?: string;
  /** Whether smaller or larger is better. Default 'auto': larger for accuracy, precision and recall, smaller for all else. */
  mode?: 'auto' | 'min' | 'max';
  /** A change that is no larger than this is no improvement. Default 0. */
  minDelta?: number;
}

export const MONITOR_OPTIONS = ['monitor', 'mode', 'minDelta'] as const;

/** Follows one number of the logs from epoch to epoch. Names and rules are those of Keras' `EarlyStopping`. */
export class Monitor {
  readonly name: string;
  readonly #sign: 1 | -1;
  readonly #minDelta: number;
  #best: number;

  /**
   * @param owner what to call the callback in errors
   * @param baseline the value that the first epoch has to beat
   * @throws TypeError or RangeError for options that are none.
   */
  constructor(owner: string, { monitor = 'val_loss', mode = 'auto', minDelta = 0 }: MonitorOptions, baseline?: number) {
    if (typeof monitor !== 'string') {
      throw new TypeError(`${owner}: monitor must be the name of a loss or metric, got ${show(monitor)}`);
    }
    if (mode !== 'auto' && mode !== 'min' && mode !== 'max') {
      throw new TypeError(`${owner}: mode must be 'auto', 'min' or 'max', got ${show(mode)}`);
    }
    if (!Number.isFinite(minDelta)) {
      throw new RangeError(`${owner}: minDelta must be a finite number, got ${show(minDelta)}`);
    }
    const isLarger = mode === 'max' || (mode === 'auto' && /acc|precision|recall/i.test(monitor));
    this.name = monitor;
    this.#sign = isLarger ? 1 : -1;
    this.#minDelta = Math.abs(minDelta);
    this.#best = baseline ?? -this.#sign * Number.POSITIVE_INFINITY;
  }

  /**
   * Takes in the logs of one more epoch and says whether it is the best so far. NaN never is.
   *
   * @throws RangeError if they do not hold what is watched.
   */
  isBest(logs: tf.Logs): boolean {
    const value = logs[this.name];
    if (value === undefined) {
      const hint = this.name.startsWith('val_')
        ? ', and give fit validationData or validationSplit for val_ names'
        : '';
      throw new RangeError(`there is no '${this.name}' to monitor: choose from ${Object.keys(logs).join(', ')}${hint}`);
    }
    if (!(this.#sign * (value - this.#best) > this.#minDelta)) return false;
    this.#best = value;
    return true;
  }
}
