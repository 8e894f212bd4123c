import * as tf from '@tensorflow/tfjs';
import type { StudyOptions, StudyTask } from 'shardfit';
import { classes } from '../fit/support/models.js';

/** A task that trains in a moment. */
export function tinyTask(): StudyTask {
  const { x, y } = classes(60);
  return {
    name: 'tiny',
    description: '6-3 <softmax>',
    createModel: (seed) => {
      const kernelInitializer = tf.initializers.glorotUniform({ seed: seed + 1 });
      const model = tf.sequential({
        layers: [tf.layers.dense({ inputShape: [6], units: 3, activation: 'softmax', kernelInitializer })],
      });
      model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
      return model;
    },
    x,
    y,
  };
}

/** A grid of 6 trainings by simulated workers, the same to the bit every time. */
export const TINY: Omit<StudyOptions, 'folder'> = {
  rules: ['sync', 'per-shard', 'local'],
  batchSizes: [9, 27],
  workers: [],
  virtualWorkers: [3],
  learningRates: [0.1],
  seeds: [0],
  epochs: 2,
};
