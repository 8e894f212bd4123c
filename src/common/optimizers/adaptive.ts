/**
 * Optimizers that scale the rate of each weight by what its gradients were so far. t counts updates from 0, g is the
 * mini-batch gradient, every vector begins at 0 unless it says otherwise.
 *
 * The factories have Keras' formulas and defaults. Where tfjs differs, a field says so: an optimizer that the model was
 * compiled with keeps the formula of its own library.
 */
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

/** a += g^2 (from `initialAccumulator` on); w -= rate * g / sqrt(a + epsilon). Duchi, Hazan, Singer, 2011. */
export interface AdagradOptimizer extends GradientOptions {
  kind: 'adagrad';
  learningRate: LearningRate;
  initialAccumulator: number;
  epsilon: number;
}

/**
 *     a  = rho * a + (1 - rho) * g^2
 *     d  = g * sqrt(b + epsilon) / sqrt(a + epsilon)
 *     b  = rho * b + (1 - rho) * d^2
 *     w -= rate * d
 *
 * Zeiler, 2012. tfjs takes for d the `a` from before this update: `lagging`.
 */
export interface AdadeltaOptimizer extends GradientOptions {
  kind: 'adadelta';
  learningRate: LearningRate;
  rho: number;
  epsilon: number;
  lagging: boolean;
}

/**
 *     m  = beta1 * m + (1 - beta1) * g
 *     v  = beta2 * v + (1 - beta2) * g^2
 *     w -= rate * m' / (sqrt(v') + epsilon),   m' = m / (1 - beta1^(t+1)),   v' = v / (1 - beta2^(t+1))
 *
 * Kingma and Ba, 2015, Algorithm 1, which is tfjs' form. Keras has the form of their section 2, `epsilonHat`:
 * w -= rate * sqrt(1 - beta2^(t+1)) / (1 - beta1^(t+1)) * m / (sqrt(v) + epsilon).
 */
export interface AdamOptimizer extends GradientOptions {
  kind: 'adam';
  learningRate: LearningRate;
  beta1: number;
  beta2: number;
  epsilon: number;
  epsilonHat: boolean;
}

/** m as in Adam; u = max(beta2 * u, |g|); w -= rate / (1 + decay * t) / (1 - beta1^(t+1)) * m / (u + epsilon). Ibid., 7.1. */
export interface AdamaxOptimizer extends GradientOptions {
  kind: 'adamax';
  learningRate: LearningRate;
  beta1: number;
  beta2: number;
  epsilon: number;
  decay: number;
}

/**
 *     s  = rho * s + (1 - rho) * g^2
 *     a  = rho * a + (1 - rho) * g          centered only, else 0
 *     v  = momentum * v + rate * g / sqrt(s - a^2 + epsilon)
 *     w -= v
 *
 * Tieleman and Hinton, 2012; centered: Graves, 2013. tfjs, centered, subtracts epsilon: a negative one here.
 */
export interface RmspropOptimizer extends GradientOptions {
  kind: 'rmsprop';
  learningRate: LearningRate;
  rho: number;
  momentum: number;
  epsilon: number;
  centered: boolean;
}

/** The options of a factory: those of the optimizer, all with defaults, without what marks tfjs' forms. */
type Options<T> = Partial<Omit<T, 'kind' | 'lagging' | 'epsilonHat'>>;

/** Default of Keras, and of tfjs for float32. */
const EPSILON = 1e-7;

/** Defaults: learningRate 0.001, initialAccumulator 0.1, epsilon 1e-7. @throws as `sgd`. */
export function adagrad(options: Options<AdagradOptimizer> = {}): AdagradOptimizer {
  return describe('adagrad', options, { learningRate: 0.001, initialAccumulator: 0.1, epsilon: EPSILON });
}

/** Defaults: learningRate 0.001, rho 0.95, epsilon 1e-7. @throws as `sgd`. */
export function adadelta(options: Options<AdadeltaOptimizer> = {}): AdadeltaOptimizer {
  return { ...describe('adadelta', options, { learningRate: 0.001, rho: 0.95, epsilon: EPSILON }), lagging: false };
}

/** Defaults: learningRate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7. @throws as `sgd`. */
export function adam(options: Options<AdamOptimizer> = {}): AdamOptimizer {
  const defaults = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: EPSILON };
  return { ...describe('adam', options, defaults), epsilonHat: true };
}

/** `adam` with decoupled weight decay, 0.004 unless given, as in Keras. @throws as `sgd`. */
export function adamw(options: Options<AdamOptimizer> = {}): AdamOptimizer {
  return adam({ weightDecay: 0.004, ...options });
}

/** Defaults: learningRate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7, decay 0. @throws as `sgd`. */
export function adamax(options: Options<AdamaxOptimizer> = {}): AdamaxOptimizer {
  const defaults = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: EPSILON, decay: 0 };
  return describe('adamax', options, defaults);
}

/** Defaults: learningRate 0.001, rho 0.9, momentum 0, epsilon 1e-7, centered false. @throws as `sgd`. */
export function rmsprop(options: Options<RmspropOptimizer> = {}): RmspropOptimizer {
  const defaults = { learningRate: 0.001, rho: 0.9, momentum: 0, epsilon: EPSILON, centered: false };
  return describe('rmsprop', options, defaults);
}

const FRACTIONS = ['rho', 'beta1', 'beta2', 'momentum'];

/** Fills in the defaults and checks every value by its name. */
function describe<K extends string, T extends { learningRate: LearningRate }>(
  kind: K,
  options: Partial<T> & GradientOptions,
  defaults: T,
): { kind: K } & T & GradientOptions {
  checkNames(kind, options, [...Object.keys(defaults), ...GRADIENT_OPTIONS]);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all = { ...defaults, ...given } as T & GradientOptions;
  checkRate(all.learningRate);
  checkGradientOptions(all);
  for (const name of Object.keys(defaults).filter((n) => n !== 'learningRate')) {
    const value = (all as Record<string, unknown>)[name];
    if (typeof (defaults as Record<string, unknown>)[name] === 'boolean') checkFlag(name, value);
    else if (FRACTIONS.includes(name)) checkNumber(name, value, 'in [0, 1)', isFraction);
    else checkNumber(name, value, '>= 0', (number) => number >= 0);
  }
  return { kind, ...defaults, ...given, ...pickGradientOptions(all) } as { kind: K } & T & GradientOptions;
}
