import { checkNames } from '../option-names.js';
import { show } from '../show.js';

/** Learning rates that change from update to update. t counts updates from 0. Plain data: workers work out the rate themselves. */
export type Schedule =
  | { kind: 'step'; initial: number; factor: number; every: number }
  | { kind: 'exponential'; initial: number; factor: number; every: number; staircase: boolean }
  | { kind: 'cosine'; initial: number; steps: number; floor: number }
  | { kind: 'one-cycle'; peak: number; steps: number; rise: number; startDivisor: number; endDivisor: number }
  | { kind: 'warm-up'; steps: number; then: LearningRate };

export type LearningRate = number | Schedule;

/** initial * factor^floor(t / every). */
export function stepDecay(options: { initial: number; factor: number; every: number }): Schedule {
  return checked('stepDecay', options, { kind: 'step', ...options });
}

/** initial * factor^(t / every), the exponent rounded down with `staircase` (Keras, `ExponentialDecay`). */
export function exponentialDecay(options: {
  initial: number;
  factor: number;
  every: number;
  staircase?: boolean;
}): Schedule {
  return checked('exponentialDecay', options, { kind: 'exponential', staircase: false, ...options });
}

/**
 * initial * (floor + (1 - floor) * (1 + cos(pi * t / steps)) / 2), and initial * floor from `steps` on (Keras,
 * `CosineDecay`, with `floor` for its `alpha`; Loshchilov and Hutter, "SGDR", 2017).
 */
export function cosineDecay(options: { initial: number; steps: number; floor?: number }): Schedule {
  return checked('cosineDecay', options, { kind: 'cosine', floor: 0, ...options });
}

/**
 * Up from peak / startDivisor to peak over the first `rise` of the steps, then down to peak / startDivisor / endDivisor, both
 * along a cosine (Smith and Topin, "Super-convergence", 2019; defaults of PyTorch's `OneCycleLR`).
 */
export function oneCycle(options: {
  peak: number;
  steps: number;
  rise?: number;
  startDivisor?: number;
  endDivisor?: number;
}): Schedule {
  return checked('oneCycle', options, { kind: 'one-cycle', rise: 0.3, startDivisor: 25, endDivisor: 1e4, ...options });
}

/** Linearly up to the rate that `then` has at its beginning, reached after `steps` updates; then `then` (Goyal et al., 2017). */
export function warmUp(options: { steps: number; then: LearningRate }): Schedule {
  return checked('warmUp', options, { kind: 'warm-up', ...options });
}

/** The rate of update t. */
export function rateAt(rate: LearningRate, t: number): number {
  if (typeof rate === 'number') return rate;
  switch (rate.kind) {
    case 'step':
      return rate.initial * rate.factor ** Math.floor(t / rate.every);
    case 'exponential':
      return rate.initial * rate.factor ** (rate.staircase ? Math.floor(t / rate.every) : t / rate.every);
    case 'cosine':
      return rate.initial * (rate.floor + (1 - rate.floor) * cosine(t / rate.steps));
    case 'one-cycle':
      return oneCycleAt(rate, t);
    case 'warm-up':
      return t < rate.steps ? (rateAt(rate.then, 0) * (t + 1)) / (rate.steps + 1) : rateAt(rate.then, t - rate.steps);
  }
}

/** From 1 at 0 to 0 at 1, and 0 from there on. */
function cosine(share: number): number {
  return (1 + Math.cos(Math.PI * Math.min(1, share))) / 2;
}

function oneCycleAt(rate: Extract<Schedule, { kind: 'one-cycle' }>, t: number): number {
  const start = rate.peak / rate.startDivisor;
  const end = start / rate.endDivisor;
  const top = rate.rise * rate.steps - 1;
  // Not at the top itself, which may be the first update: there is no way up then.
  if (t < top) return rate.peak + (start - rate.peak) * cosine(t / top);
  return end + (rate.peak - end) * cosine((t - top) / (rate.steps - 1 - top));
}

/** @throws as `checkSchedule`, and TypeError for an option that the factory does not have. */
function checked(factory: string, options: object, schedule: Schedule): Schedule {
  const own = { exponential: ['staircase'], 'warm-up': ['then'] } as Partial<Record<Schedule['kind'], string[]>>;
  checkNames(factory, options, [...FIELDS[schedule.kind], ...(own[schedule.kind] ?? [])]);
  checkSchedule(schedule);
  return schedule;
}

const RANGES: Record<string, [string, (value: number) => boolean]> = {
  initial: ['> 0', (n) => n > 0],
  peak: ['> 0', (n) => n > 0],
  factor: ['> 0', (n) => n > 0],
  every: ['> 0', (n) => n > 0],
  steps: ['a whole number of at least 1', (n) => Number.isInteger(n) && n >= 1],
  floor: ['in [0, 1]', (n) => n >= 0 && n <= 1],
  rise: ['in (0, 1)', (n) => n > 0 && n < 1],
  startDivisor: ['>= 1', (n) => n >= 1],
  endDivisor: ['>= 1', (n) => n >= 1],
};

const FIELDS: Record<Schedule['kind'], string[]> = {
  step: ['initial', 'factor', 'every'],
  exponential: ['initial', 'factor', 'every'],
  cosine: ['initial', 'steps', 'floor'],
  'one-cycle': ['peak', 'steps', 'rise', 'startDivisor', 'endDivisor'],
  'warm-up': ['steps'],
};

/** @throws TypeError or RangeError for what is no schedule, or has a number out of range. */
export function checkSchedule(schedule: Schedule): void {
  const fields = FIELDS[schedule.kind];
  if (!fields) {
    throw new TypeError(
      `learningRate must be a number or one of ${Object.keys(FIELDS).join(', ')}, got '${schedule.kind}'`,
    );
  }
  for (const field of fields) {
    const value = (schedule as unknown as Record<string, unknown>)[field];
    const [range, fits] = RANGES[field] as [string, (value: number) => boolean];
    if (typeof value !== 'number') throw new TypeError(`${field} of a schedule must be ${range}, got ${show(value)}`);
    if (!fits(value)) throw new RangeError(`${field} of a schedule must be ${range}, got ${value}`);
  }
  if (schedule.kind === 'warm-up' && typeof schedule.then === 'object') checkSchedule(schedule.then);
}
