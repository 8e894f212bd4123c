import * as tf from '@tensorflow/tfjs';
import { innerModel } from '../compiler/index.js';

/**
 * The model that does the work, see `innerModel`.
 *
 * @throws TypeError if it is no tfjs model.
 */
export function usableModel(model: tf.LayersModel): tf.LayersModel {
  checkClass(model);
  return innerModel(model);
}

/**
 * As `usableModel`, of a model that has been compiled.
 *
 * @throws TypeError if it is no compiled tfjs model.
 */
export function trainableModel(model: tf.LayersModel): tf.LayersModel {
  checkClass(model);
  if (!model.optimizer) {
    throw new TypeError('the model is not compiled: call model.compile({ optimizer, loss }) first');
  }
  return innerModel(model);
}

/** @throws TypeError if it is compiled so that nothing of it would change. */
export function checkTrainsSomething(model: tf.LayersModel): void {
  const compiled = model as unknown as { collectedTrainableWeights: { trainable: boolean }[] };
  if (compiled.collectedTrainableWeights.some(({ trainable }) => trainable)) return;
  throw new TypeError(
    'the model has no weights to train: all of its layers are frozen or have none; set trainable = true of a layer that has, and compile it again',
  );
}

/** @throws TypeError if it is no tfjs model. */
export function checkClass(model: unknown): void {
  if (model instanceof tf.LayersModel) return;
  throw new TypeError(
    'model must be a tf.LayersModel or tf.Sequential of the same copy of @tensorflow/tfjs that shardfit uses: ' +
      "if it is one, there are two copies; 'npm ls @tensorflow/tfjs' shows them, 'npm dedupe' makes them one",
  );
}
