/** Models and data for tests of `fit`: small, seeded, the same for every call. */
import * as tf from '@tensorflow/tfjs';

export type Compile = tf.ModelCompileArgs;

const glorot = (seed: number) => tf.initializers.glorotUniform({ seed });

/** 6-8-3, or with more hidden units, with a softmax, L2 on the first kernel. */
export function mlp(optimizer: Compile['optimizer'] = tf.train.sgd(0.1), units = 8): tf.Sequential {
  const kernelRegularizer = tf.regularizers.l2({ l2: 0.01 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [6],
        units,
        activation: 'tanh',
        kernelInitializer: glorot(1),
        kernelRegularizer,
      }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(2) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The same network with dropout between its layers. */
export function dropoutMlp(optimizer: Compile['optimizer'] = tf.train.sgd(0.1)): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [6], units: 16, activation: 'relu', kernelInitializer: glorot(1) }),
      tf.layers.dropout({ rate: 0.3 }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(2) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Convolutions with padding 'same' and 'valid', L2, pooling. Takes 8x8 images. */
export function cnn(optimizer: Compile['optimizer'] = tf.train.sgd(0.1)): tf.Sequential {
  const kernelRegularizer = tf.regularizers.l2({ l2: 0.01 });
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [8, 8, 1],
        filters: 4,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        kernelInitializer: glorot(1),
        kernelRegularizer,
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 5, kernelSize: 3, activation: 'tanh', kernelInitializer: glorot(2) }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(3) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Rows of `shape` numbers, and one of three classes for each that can be learned from them. */
export function classes(rows: number, shape: number[] = [6]): { x: tf.Tensor; y: tf.Tensor } {
  return tf.tidy(() => {
    const x = tf.randomNormal([rows, ...shape], 0, 1, 'float32', 5);
    const labels = x.reshape([rows, -1]).slice([0, 0], [rows, 3]).argMax(1).toInt();
    return { x, y: tf.oneHot(labels, 3).toFloat() };
  });
}

/** All weights, one array each. */
export function weightsOf(model: tf.LayersModel): Float32Array[] {
  return model.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
}
