import * as tf from '@tensorflow/tfjs';

/** A model with data of the right shape, the same for every contender. */
export interface Workload {
  name: string;
  batchSize: number;
  /** Rows of the data set. */
  rows: number;
  build(): tf.LayersModel;
  data(): { x: tf.Tensor; y: tf.Tensor };
}

/** A dense classifier `sizes[0]-...-sizes.at(-1)` with ReLU and softmax, momentum SGD. */
export function mlp(sizes: number[], batchSize: number, rows: number): Workload {
  const classes = sizes.at(-1) as number;
  return {
    name: `${sizes.join('-')} (${batchSize})`,
    batchSize,
    rows,
    build: () => {
      const model = tf.sequential();
      sizes.slice(1).forEach((units, i) => {
        const last = i === sizes.length - 2;
        const activation = last ? 'softmax' : 'relu';
        const kernelInitializer = tf.initializers.glorotUniform({ seed: i + 1 });
        const input = i === 0 ? { inputShape: [sizes[0] as number] } : {};
        model.add(tf.layers.dense({ units, activation, kernelInitializer, ...input }));
      });
      return compile(model);
    },
    data: () => classification([sizes[0] as number], classes, rows),
  };
}

/** The network of the question: 10 inputs, 20 hidden units, one number; squared error. */
export function question(batchSize: number, rows: number): Workload {
  return {
    name: `10-20-1 (${batchSize})`,
    batchSize,
    rows,
    build: () => {
      const seeded = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
      const model = tf.sequential();
      model.add(tf.layers.dense({ units: 20, activation: 'relu', inputShape: [10], ...seeded(1) }));
      model.add(tf.layers.dense({ units: 1, ...seeded(2) }));
      model.compile({ optimizer: tf.train.momentum(0.01, 0.1), loss: 'meanSquaredError' });
      return model;
    },
    data: () => ({
      x: tf.randomNormal([rows, 10], 0, 1, 'float32', 1),
      y: tf.randomNormal([rows, 1], 0, 1, 'float32', 2),
    }),
  };
}

/** conv 32 - pool - conv 64 - pool - dense 128 - dense 10 on 28 x 28 images. */
export function cnn(batchSize: number, rows: number): Workload {
  return {
    name: `CNN (${batchSize})`,
    batchSize,
    rows,
    build: () => {
      const model = tf.sequential();
      const seeded = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
      const conv = { kernelSize: 3, activation: 'relu' as const };
      model.add(tf.layers.conv2d({ filters: 32, inputShape: [28, 28, 1], ...conv, ...seeded(1) }));
      model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
      model.add(tf.layers.conv2d({ filters: 64, ...conv, ...seeded(2) }));
      model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
      model.add(tf.layers.flatten());
      model.add(tf.layers.dense({ units: 128, activation: 'relu', ...seeded(3) }));
      model.add(tf.layers.dense({ units: 10, activation: 'softmax', ...seeded(4) }));
      return compile(model);
    },
    data: () => classification([28, 28, 1], 10, rows),
  };
}

function compile(model: tf.Sequential): tf.Sequential {
  model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

function classification(shape: number[], classes: number, rows: number) {
  return tf.tidy(() => ({
    x: tf.randomUniform([rows, ...shape], 0, 1, 'float32', 1),
    y: tf.oneHot(tf.randomUniform([rows], 0, classes, 'int32', 2), classes).toFloat(),
  }));
}
