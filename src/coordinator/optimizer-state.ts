import type * as tf from '@tensorflow/tfjs';
import { type Optimizer, sgd } from '../common/optimizers.js';

/** What an optimizer remembers between two calls of `fit` on the same compiled model. */
export interface OptimizerState {
  /** Updates made: t of the learning rate. */
  updates: number;
  /** Mini-batches trained on: keys the random numbers. */
  batches: number;
  /** One vector per slot and state, laid out as the parameters. */
  slots: Float32Array;
}

interface Remembered extends OptimizerState {
  /** The object the model was compiled with then: compiling again begins anew. */
  compiled: tf.Optimizer;
  optimizer: Optimizer;
}

const memory = new WeakMap<tf.LayersModel, Remembered>();

/** The state to go on with: that of the last `fit`, if the model is still compiled as then and the slots still fit. */
export function recallState(model: tf.LayersModel, optimizer: Optimizer, slotsLength: number): OptimizerState {
  const last = memory.get(model);
  const goesOn =
    last !== undefined &&
    last.compiled === model.optimizer &&
    last.slots.length === slotsLength &&
    last.optimizer.kind === optimizer.kind &&
    last.optimizer.velocity === optimizer.velocity;
  return goesOn
    ? { updates: last.updates, batches: last.batches, slots: last.slots }
    : { updates: 0, batches: 0, slots: new Float32Array(slotsLength) };
}

export function rememberState(model: tf.LayersModel, optimizer: Optimizer, state: OptimizerState): void {
  memory.set(model, { ...state, compiled: model.optimizer, optimizer });
}

/** Fields of tfjs' optimizers that its declarations keep to themselves. */
interface CompiledSgd {
  learningRate: number;
  m?: tf.Scalar;
  useNesterov?: boolean;
}

/**
 * Describes the optimizer that a model was compiled with.
 *
 * @throws TypeError for one that has no kernel yet.
 */
export function describeCompiled(compiled: tf.Optimizer): Optimizer {
  const name = compiled.getClassName();
  const { learningRate, m, useNesterov = false } = compiled as unknown as CompiledSgd;
  if (name === 'SGD') return sgd({ learningRate });
  if (name === 'Momentum') {
    // tfjs computes with the tensor `m`; `setMomentum` changes another field, which nothing reads.
    const momentum = m?.dataSync()[0] ?? 0;
    return { ...sgd({ learningRate, momentum, nesterov: useNesterov }), velocity: 'gradient' };
  }
  throw new TypeError(
    `the model is compiled with ${name}; compile it with tf.train.sgd or tf.train.momentum, ` +
      'or pass { optimizer: sgd({ ... }) } to fit',
  );
}
