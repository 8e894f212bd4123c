/** Data sets of batches with the rows of `classes`. */
import * as tf from '@tensorflow/tfjs';
import type { BatchDataset } from 'shardfit';
import { classes } from './models.js';

/** Rows of `classes` as a data set of batches. */
export function dataset(rows: number, shape: number[], batchSize: number): tf.data.Dataset<tf.TensorContainer> {
  const { x, y } = classes(rows, shape);
  const [xs, ys] = [x.arraySync() as number[][], y.arraySync() as number[][]];
  return tf.data.zip({ xs: tf.data.array(xs), ys: tf.data.array(ys) }).batch(batchSize);
}

/** Batches with so many rows each, the first ones of `classes(64)`. */
export function batches(...sizes: number[]): BatchDataset {
  const { x, y } = classes(64, [6]);
  const slices = sizes.map((size) => ({ xs: x.slice([0, 0], [size, 6]), ys: y.slice([0, 0], [size, 3]) }));
  return tf.data.array(slices as never) as unknown as BatchDataset;
}
