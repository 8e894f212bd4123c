import * as tf from '@tensorflow/tfjs';
import type { TfjsTask } from './task-folder.js';

/** The rows and epochs that come to a number of updates: rows are gone through in order, again and again. */
export interface Passes {
  x: tf.Tensor;
  y: tf.Tensor;
  epochs: number;
  updates: number;
}

/** About `updates` updates: whole epochs where there are more than one, at least one update. */
export function passes({ x, y, task }: TfjsTask, updates: number): Passes {
  const batches = task.rows / task.batchSize;
  if (updates >= batches) {
    const epochs = Math.round(updates / batches);
    return { x: tf.clone(x), y: tf.clone(y), epochs, updates: epochs * batches };
  }
  const rows = updates * task.batchSize;
  return { x: tf.slice(x, 0, rows), y: tf.slice(y, 0, rows), epochs: 1, updates };
}
