import * as tf from '@tensorflow/tfjs';

export { temporaryFolder } from '../data/temporary-folder.js';

/** A model of 2 features and 2 classes with all its weights at `value`. */
export function modelOf(value: number, units = 3): tf.LayersModel {
  const initializer = () => tf.initializers.constant({ value });
  const dense = (width: number, inputShape?: number[]) =>
    tf.layers.dense({
      units: width,
      kernelInitializer: initializer(),
      biasInitializer: initializer(),
      ...(inputShape && { inputShape }),
    });
  return tf.sequential({ layers: [dense(units, [2]), dense(2)] });
}

export const PREPROCESSING = {
  normalizer: { columns: ['a', 'b'], mean: [1, 2], scale: [3, 4] },
  target: { name: 'y', kind: 'class' as const, classes: ['no', 'yes'] },
};

/** All weights of a model, one behind the other. */
export function weightsOf(model: tf.LayersModel): number[] {
  return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
}
