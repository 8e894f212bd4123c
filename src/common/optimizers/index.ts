/** Optimizers are plain descriptions: which kernel, how many slots per parameter, and the rate of each update. */
import type {
  AdadeltaOptimizer,
  AdagradOptimizer,
  AdamaxOptimizer,
  AdamOptimizer,
  RmspropOptimizer,
} from './adaptive.js';
import { rateAt } from './schedules.js';
import type { SgdOptimizer } from './sgd.js';

export * from './adaptive.js';
export type { GradientOptions } from './checks.js';
export * from './schedules.js';
export * from './sgd.js';

export type Optimizer =
  | SgdOptimizer
  | AdagradOptimizer
  | AdadeltaOptimizer
  | AdamOptimizer
  | AdamaxOptimizer
  | RmspropOptimizer;

const KINDS: Optimizer['kind'][] = ['sgd', 'adagrad', 'adadelta', 'adam', 'adamax', 'rmsprop'];

/** Float32 vectors, of the length of the weights, that the optimizer keeps. */
export function slotsOf(optimizer: Optimizer): number {
  switch (optimizer.kind) {
    case 'sgd':
      return optimizer.momentum > 0 ? 1 : 0;
    case 'adagrad':
      return 1;
    case 'rmsprop':
      return optimizer.centered ? 3 : 2;
    default:
      return 2;
  }
}

/** What every value of its slots is before the first update. */
export function initialSlotValue(optimizer: Optimizer): number {
  return optimizer.kind === 'adagrad' ? optimizer.initialAccumulator : 0;
}

/** Learning rate of update t, counted from 0, with the time decay of those that have one (Keras' legacy optimizers). */
export function learningRateAt(optimizer: Optimizer, t: number): number {
  const rate = rateAt(optimizer.learningRate, t);
  return 'decay' in optimizer ? rate / (1 + optimizer.decay * t) : rate;
}

/** Whether `value` is what one of the factories returns. */
export function isOptimizer(value: unknown): value is Optimizer {
  return typeof value === 'object' && value !== null && KINDS.includes((value as Optimizer).kind);
}
