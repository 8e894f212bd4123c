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

/** @throws TypeError if it is no tfjs model. */
export function checkClass(model: unknown): void {
  if (model instanceof tf.LayersModel) return;
  throw new TypeError(
    'model must be a tf.LayersModel or tf.Sequential of the same copy of @tensorflow/tfjs that shardfit uses: ' +
      "if it is one, there are two copies; 'npm ls @tensorflow/tfjs' shows them, 'npm dedupe' makes them one",
  );
}
