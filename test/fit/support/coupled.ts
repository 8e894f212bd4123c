/** Models whose rows depend on each other, as in batch norm: the value of a row depends on the whole mini-batch. */
import * as tf from '@tensorflow/tfjs';

const glorot = (seed: number) => tf.initializers.glorotUniform({ seed });

type Loss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor;

/** Two residual blocks with batch norm behind every convolution, on 8x8 images; three classes. */
export function residualCnn(optimizer: tf.Optimizer = tf.train.momentum(0.05, 0.9)): tf.LayersModel {
  const image = tf.input({ shape: [8, 8, 2] });
  let x = normalized(image, 4, 1);
  for (const seed of [2, 4]) {
    const inner = normalized(relu(normalized(x, 4, seed)), 4, seed + 1);
    x = relu(tf.layers.add().apply([x, inner]) as tf.SymbolicTensor);
  }
  const pooled = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(x);
  const outputs = tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(7) }).apply(pooled);
  const model = tf.model({ inputs: image, outputs: outputs as tf.SymbolicTensor });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

function normalized(x: tf.SymbolicTensor, filters: number, seed: number): tf.SymbolicTensor {
  const conv = tf.layers.conv2d({
    ...{ filters, kernelSize: 3, padding: 'same' as const, useBias: false, kernelInitializer: glorot(seed) },
  });
  return tf.layers.batchNormalization({ momentum: 0.9 }).apply(conv.apply(x)) as tf.SymbolicTensor;
}

function relu(x: tf.SymbolicTensor): tf.SymbolicTensor {
  return tf.layers.activation({ activation: 'relu' }).apply(x) as tf.SymbolicTensor;
}

/** A layer made of a function that keeps the shape. */
class FunctionLayer extends tf.layers.Layer {
  static className = 'FunctionLayer';
  readonly #f: (x: tf.Tensor) => tf.Tensor;

  constructor(f: (x: tf.Tensor) => tf.Tensor) {
    super({});
    this.#f = f;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.#f((Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor));
  }
}

/** Dense 6-5, `between`, dense 3. */
export function denseAround(
  between: (x: tf.Tensor) => tf.Tensor,
  loss: Loss | string = 'meanSquaredError',
  metrics: Loss[] = [],
): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [6],
        units: 5,
        activation: 'tanh',
        kernelInitializer: glorot(1),
        kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }),
      }),
      new FunctionLayer(between),
      // Without a bias: where outputs are centred, its gradient is zero but for rounding.
      tf.layers.dense({ units: 3, useBias: false, kernelInitializer: glorot(2) }),
    ],
  });
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: loss as string, metrics: metrics as never });
  return model;
}

export const unchanged = (x: tf.Tensor): tf.Tensor => tf.mul(x, 1);
export const dividedByMaximum = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.add(tf.max(tf.abs(x), 0, true), 0.1));
export const softmaxOverRows = (x: tf.Tensor): tf.Tensor => tf.transpose(tf.softmax(tf.transpose(x)));

/** Squared error of outputs that the mean of the batch is taken from. */
export const centredError: Loss = (yTrue, yPred) =>
  tf.mean(tf.squaredDifference(yTrue, tf.sub(yPred, tf.mean(yPred, 0, true))), -1);

/** A sum over the rows where others have a mean. */
export const summedError: Loss = (yTrue, yPred) => tf.mul(tf.sum(tf.squaredDifference(yTrue, yPred)), 0.05);

/** True positives over all that was taken for positive: no mean over rows. */
export const precision: Loss = (yTrue, yPred) => {
  const taken = tf.cast(tf.greater(yPred, 0.2), 'float32');
  return tf.div(tf.sum(tf.mul(yTrue, taken)), tf.add(tf.sum(taken), 1));
};

/** Every row's outputs against every other's. */
export const contrast: Loss = (yTrue, yPred) =>
  tf.mean(tf.squaredDifference(tf.matMul(yPred as tf.Tensor2D, yPred as tf.Tensor2D, false, true), tf.sum(yTrue, -1)));
