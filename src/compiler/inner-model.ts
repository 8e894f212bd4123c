import type * as tf from '@tensorflow/tfjs';

/**
 * The model below a `Sequential`, which does the work for it and has the same weights; any other model itself. By name, not by
 * class: a module may build its model with another copy of tfjs.
 */
export function innerModel(model: tf.LayersModel): tf.LayersModel {
  if (model.getClassName() !== 'Sequential') return model;
  const sequential = model as unknown as { model: tf.LayersModel | null };
  // It is made of its layers when it is first needed.
  if (!sequential.model) (model as tf.Sequential).build();
  return sequential.model as tf.LayersModel;
}
