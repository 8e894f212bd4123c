import type * as tf from '@tensorflow/tfjs';

/** Sizes of the axes of a model's only input, without that of the rows. */
export function inputShapeOf(model: tf.LayersModel): (number | null)[] {
  return (model.inputs[0] as tf.SymbolicTensor).shape.slice(1);
}
