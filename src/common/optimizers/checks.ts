import { show } from '../show.js';
import { checkSchedule, type LearningRate } from './schedules.js';

/** What all optimizers share, beside the rule itself. */
export interface GradientOptions {
  /** Every value of the mini-batch gradient is cut off at this size. */
  clipValue?: number;
  /** The gradient of each weight is shortened to this Euclidean norm, if longer (Keras, `clipnorm`). */
  clipNorm?: number;
  /** The gradient of all weights together is shortened to this norm, if longer (Pascanu et al., 2013). */
  globalClipNorm?: number;
  /** Decoupled weight decay: before each update, weights -= rate * weightDecay * weights (Loshchilov and Hutter, 2019). */
  weightDecay?: number;
}

export const GRADIENT_OPTIONS = ['clipValue', 'clipNorm', 'globalClipNorm', 'weightDecay'] as const;

/** @throws TypeError for a value that is no number, RangeError for one that does not fit. */
export function checkNumber(name: string, value: unknown, range: string, fits: (value: number) => boolean): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number ${range}, got ${show(value)}`);
  if (!Number.isFinite(value) || !fits(value)) throw new RangeError(`${name} must be ${range}, got ${value}`);
}

export function checkFlag(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${show(value)}`);
}

/** 0, which trains nothing but metrics and moving averages, is a rate, as in tfjs and Keras. */
export function checkRate(rate: LearningRate): void {
  if (typeof rate === 'object' && rate !== null) checkSchedule(rate);
  else checkNumber('learningRate', rate, '>= 0', (value) => value >= 0);
}

export const isFraction = (value: number): boolean => value >= 0 && value < 1;

/** @throws TypeError if two kinds of norm clipping are asked for at once, as in Keras. */
export function checkGradientOptions(options: GradientOptions): void {
  for (const name of GRADIENT_OPTIONS) {
    const value = options[name];
    if (value === undefined) continue;
    if (name === 'weightDecay') checkNumber(name, value, '>= 0', (number) => number >= 0);
    else checkNumber(name, value, '> 0', (number) => number > 0);
  }
  const clips = (['clipValue', 'clipNorm', 'globalClipNorm'] as const).filter((name) => options[name] !== undefined);
  if (clips.length > 1) throw new TypeError(`only one kind of clipping at a time, got ${clips.join(' and ')}`);
}

/** The options of `GradientOptions` that are set. */
export function pickGradientOptions(options: GradientOptions): GradientOptions {
  return Object.fromEntries(GRADIENT_OPTIONS.filter((n) => options[n] !== undefined).map((n) => [n, options[n]]));
}
