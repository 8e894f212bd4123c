import { checkNames } from '../option-names.js';
import {
  checkFlag,
  checkGradientOptions,
  checkNumber,
  checkRate,
  GRADIENT_OPTIONS,
  type GradientOptions,
  isFraction,
  pickGradientOptions,
} from './checks.js';
import type { LearningRate } from './schedules.js';

/**
 * Gradient descent, with momentum if asked for. t counts updates from 0, g is the mini-batch gradient (Keras, `SGD`):
 *
 *     rate_t = learningRate / (1 + decay * t)
 *     v      = momentum * v - rate_t * g
 *     w     += v                               plain
 *     w     += momentum * v - rate_t * g       nesterov
 */
export interface SgdOptimizer extends GradientOptions {
  kind: 'sgd';
  learningRate: LearningRate;
  momentum: number;
  nesterov: boolean;
  decay: number;
  /**
   * What the velocity holds: `'step'`, a change of the weights (Keras), or `'gradient'`, a sum of gradients that the rate
   * of the moment multiplies (`tf.train.momentum`). The same numbers while the rate is constant.
   */
  velocity: 'step' | 'gradient';
}

export interface SgdOptions extends GradientOptions {
  /** Step size, > 0, or a schedule. Default 0.01, as in Keras. */
  learningRate?: LearningRate;
  /** In [0, 1). Default 0. */
  momentum?: number;
  /** Nesterov's form of the momentum. Default false. */
  nesterov?: boolean;
  /** Time decay of the rate per update, >= 0. Default 0. */
  decay?: number;
}

/**
 * Describes SGD with Keras' meaning of every option.
 *
 * @throws TypeError for a value of the wrong type or an unknown option, RangeError for one outside its range.
 */
export function sgd(options: SgdOptions = {}): SgdOptimizer {
  checkNames('sgd', options, ['learningRate', 'momentum', 'nesterov', 'decay', ...GRADIENT_OPTIONS]);
  const { learningRate = 0.01, momentum = 0, nesterov = false, decay = 0 } = options;
  checkRate(learningRate);
  checkNumber('momentum', momentum, 'in [0, 1)', isFraction);
  checkNumber('decay', decay, '>= 0', (value) => value >= 0);
  checkFlag('nesterov', nesterov);
  checkGradientOptions(options);
  const own = { kind: 'sgd', learningRate, momentum, nesterov, decay, velocity: 'step' } as const;
  return { ...own, ...pickGradientOptions(options) };
}
