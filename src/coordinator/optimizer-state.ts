import type * as tf from '@tensorflow/tfjs';
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  initialSlotValue,
  type Optimizer,
  rmsprop,
  sgd,
} from '../common/optimizers/index.js';

/** What an optimizer remembers between two calls of `fit` on the same compiled model. */
export interface OptimizerState {
  /** Updates made: t of the learning rate. */
  updates: number;
  /** Mini-batches trained on: keys the random numbers. */
  batches: number;
  /** One vector per slot and state, laid out as the trained weights of the model. */
  slots: Float32Array;
  /** Velocity of the outer step of `local`, laid out so too; empty for other rules. */
  outerVelocity: Float32Array;
  /** Whose states they are: those of one arrangement mean nothing in another. */
  arrangement: string;
}

interface Remembered extends OptimizerState {
  /** The object the model was compiled with then: another one begins anew. */
  compiled: tf.Optimizer;
  optimizer: Optimizer;
}

const memory = new WeakMap<tf.LayersModel, Remembered>();

/** What a remembered state must fit. */
export interface StateShape {
  slotsLength: number;
  outerLength: number;
  arrangement: string;
}

/** The state to go on with: that of the last `fit`, if the model still has the optimizer object of then and it all fits. */
export function recallState(model: tf.LayersModel, optimizer: Optimizer, shape: StateShape): OptimizerState {
  const last = memory.get(model);
  const goesOn =
    last !== undefined &&
    last.compiled === model.optimizer &&
    last.slots.length === shape.slotsLength &&
    last.outerVelocity.length === shape.outerLength &&
    last.arrangement === shape.arrangement &&
    last.optimizer.kind === optimizer.kind &&
    form(last.optimizer) === form(optimizer);
  if (goesOn) return last;
  return {
    updates: 0,
    batches: 0,
    slots: new Float32Array(shape.slotsLength).fill(initialSlotValue(optimizer)),
    outerVelocity: new Float32Array(shape.outerLength),
    arrangement: shape.arrangement,
  };
}

export function rememberState(model: tf.LayersModel, optimizer: Optimizer, state: OptimizerState): void {
  memory.set(model, { ...state, compiled: model.optimizer, optimizer });
}

/** What the slots of an optimizer mean: numbers of one form make no sense in the other. */
function form(optimizer: Optimizer): string {
  return optimizer.kind === 'sgd' ? optimizer.velocity : optimizer.kind;
}

/** Fields of tfjs' optimizers that its declarations keep to themselves. */
interface Compiled {
  learningRate: number;
  m?: tf.Scalar;
  useNesterov?: boolean;
  initialAccumulatorValue: number;
  rho: number;
  decay: number;
  momentum: number;
  centered: boolean;
  beta1: number;
  beta2: number;
  epsilon: number;
}

/** tfjs' own formulas, by the class name of its optimizers. */
const COMPILED: Record<string, (fields: Compiled) => Optimizer> = {
  SGD: ({ learningRate }) => sgd({ learningRate }),
  Momentum: ({ learningRate, m, useNesterov = false }) => {
    // tfjs computes with the tensor `m`; `setMomentum` changes another field, which nothing reads.
    const momentum = m?.dataSync()[0] ?? 0;
    return { ...sgd({ learningRate, momentum, nesterov: useNesterov }), velocity: 'gradient' };
  },
  Adagrad: ({ learningRate, initialAccumulatorValue }) =>
    adagrad({ learningRate, initialAccumulator: initialAccumulatorValue }),
  Adadelta: ({ learningRate, rho, epsilon }) => ({ ...adadelta({ learningRate, rho, epsilon }), lagging: true }),
  Adam: ({ learningRate, beta1, beta2, epsilon }) => ({
    ...adam({ learningRate, beta1, beta2, epsilon }),
    epsilonHat: false,
  }),
  Adamax: ({ learningRate, beta1, beta2, epsilon, decay }) => adamax({ learningRate, beta1, beta2, epsilon, decay }),
  RMSProp: ({ learningRate, decay, momentum, epsilon, centered }) => ({
    ...rmsprop({ learningRate, rho: decay, momentum, epsilon, centered }),
    // Centered, tfjs takes epsilon from what stands below the root, where Keras adds it.
    ...(centered && { epsilon: -epsilon }),
  }),
};

/**
 * Describes the optimizer that a model was compiled with, with the formula that tfjs has for it.
 *
 * @throws TypeError for one that is not tfjs' own.
 */
export function describeCompiled(compiled: tf.Optimizer): Optimizer {
  const name = compiled.getClassName();
  const describe = COMPILED[name];
  if (describe) return describe(compiled as unknown as Compiled);
  throw new TypeError(
    `the model is compiled with ${name}, which shardfit does not know; compile it with one of ` +
      `${Object.keys(COMPILED).join(', ')}, or pass { optimizer: sgd({ ... }) } to fit`,
  );
}
