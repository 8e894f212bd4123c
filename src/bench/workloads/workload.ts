import * as tf from '@tensorflow/tfjs';

/** A compiled model with random data of the right shape: something to be timed. */
export interface Workload {
  /** With the batch size: `784-128-10 (32)`. */
  name: string;
  batchSize: number;
  /** Rows of the data set. */
  rows: number;
  /** Of the SGD that the model is compiled with. */
  learningRate: number;
  momentum: number;
  /** A new model. Its layers have names, and its initial weights are the same every time. */
  build(): tf.LayersModel;
  data(): { x: tf.Tensor; y: tf.Tensor };
}

/** Makes the workload of a kind, for a batch size and a number of rows. */
export type WorkloadFactory = (batchSize: number, rows: number) => Workload;

/** What a workload is made of. */
interface Parts {
  name: string;
  layers: () => tf.LayersModel;
  data: (rows: number) => { x: tf.Tensor; y: tf.Tensor };
  loss?: string;
  momentum?: number;
}

const LEARNING_RATE = 0.01;

/** A factory of workloads: momentum SGD, and no metrics, so that every library does the same. */
export function workload({
  name,
  layers,
  data,
  loss = 'categoricalCrossentropy',
  momentum = 0.9,
}: Parts): WorkloadFactory {
  return (batchSize, rows) => ({
    ...{ name: `${name} (${batchSize})`, batchSize, rows, momentum },
    learningRate: LEARNING_RATE,
    build: () => {
      const model = layers();
      model.compile({ optimizer: tf.train.momentum(LEARNING_RATE, momentum), loss });
      return model;
    },
    data: () => data(rows),
  });
}

/** Rows of uniform numbers in [0, 1), and a class for each. */
export function classification(rows: number, shape: number[], classes: number) {
  return { x: tf.randomUniform([rows, ...shape], 0, 1, 'float32', 1), y: randomClasses(rows, classes) };
}

/** A 1 in each row, among zeros. */
export function randomClasses(rows: number, classes: number): tf.Tensor {
  return tf.tidy(() => tf.oneHot(tf.randomUniform([rows], 0, classes, 'int32', 2), classes).toFloat());
}

/** An initializer that draws the same numbers every time. */
export function uniform(seed: number): ReturnType<typeof tf.initializers.glorotUniform> {
  return tf.initializers.glorotUniform({ seed });
}
