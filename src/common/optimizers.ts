/** Optimizers are plain descriptions: which kernel, how many slots per parameter, and the rate of each update. */

/**
 * Gradient descent, with momentum if asked for. t counts updates from 0, g is the mini-batch gradient (Keras, `SGD`):
 *
 *     rate_t = learningRate / (1 + decay * t)
 *     v      = momentum * v - rate_t * g
 *     w     += v                               plain
 *     w     += momentum * v - rate_t * g       nesterov
 */
export interface SgdOptimizer {
  kind: 'sgd';
  learningRate: number;
  momentum: number;
  nesterov: boolean;
  decay: number;
  /**
   * What the velocity holds: `'step'`, a change of the weights (Keras), or `'gradient'`, a sum of gradients that the rate
   * of the moment multiplies (`tf.train.momentum`). The same numbers while the rate is constant.
   */
  velocity: 'step' | 'gradient';
}

export type Optimizer = SgdOptimizer;

export interface SgdOptions {
  /** Step size, > 0. Default 0.01, as in Keras. */
  learningRate?: number;
  /** In [0, 1). Default 0. */
  momentum?: number;
  /** Nesterov's form of the momentum. Default false. */
  nesterov?: boolean;
  /** Time decay of the rate per update, >= 0. Default 0. */
  decay?: number;
}

const SGD_OPTIONS = ['learningRate', 'momentum', 'nesterov', 'decay'];

/**
 * Describes SGD with Keras' meaning of every option.
 *
 * @throws TypeError for a value of the wrong type or an unknown option, RangeError for one outside its range.
 */
export function sgd(options: SgdOptions = {}): SgdOptimizer {
  for (const name of Object.keys(options)) {
    if (!SGD_OPTIONS.includes(name)) {
      throw new TypeError(`sgd has no option '${name}'; it has ${SGD_OPTIONS.join(', ')}`);
    }
  }
  const { learningRate = 0.01, momentum = 0, nesterov = false, decay = 0 } = options;
  checkNumber('learningRate', learningRate, learningRate > 0, '> 0');
  checkNumber('momentum', momentum, momentum >= 0 && momentum < 1, 'in [0, 1)');
  checkNumber('decay', decay, decay >= 0, '>= 0');
  if (typeof nesterov !== 'boolean') throw new TypeError(`nesterov must be true or false, got ${String(nesterov)}`);
  return { kind: 'sgd', learningRate, momentum, nesterov, decay, velocity: 'step' };
}

function checkNumber(name: string, value: number, inRange: boolean, range: string): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number ${range}, got ${String(value)}`);
  if (!inRange || !Number.isFinite(value)) throw new RangeError(`${name} must be ${range}, got ${value}`);
}

/** Float32 values that the optimizer keeps for each parameter value. */
export function slotsOf(optimizer: Optimizer): number {
  return optimizer.momentum > 0 ? 1 : 0;
}

/** Learning rate of update t, counted from 0 (Keras' legacy `SGD`: time-based decay). */
export function learningRateAt(optimizer: Optimizer, t: number): number {
  return optimizer.learningRate / (1 + optimizer.decay * t);
}

/** Whether `value` is what one of the factories above returns. */
export function isOptimizer(value: unknown): value is Optimizer {
  return typeof value === 'object' && value !== null && (value as Partial<Optimizer>).kind === 'sgd';
}
