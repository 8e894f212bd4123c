import * as tf from '@tensorflow/tfjs';
import { classification, uniform, workload } from './workload.js';

/** conv 32 - pool - conv 64 - pool - dense 128 - dense 10 on 28 x 28 images. */
export const cnn = workload({
  name: 'CNN',
  data: (rows) => classification(rows, [28, 28, 1], 10),
  layers: () => {
    const conv = { kernelSize: 3, activation: 'relu' as const };
    const layers = [
      tf.layers.conv2d({ name: 'conv1', filters: 32, inputShape: [28, 28, 1], ...conv, kernelInitializer: uniform(1) }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ name: 'conv2', filters: 64, ...conv, kernelInitializer: uniform(2) }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ name: 'dense1', units: 128, activation: 'relu', kernelInitializer: uniform(3) }),
      tf.layers.dense({ name: 'dense2', units: 10, activation: 'softmax', kernelInitializer: uniform(4) }),
    ];
    return tf.sequential({ layers });
  },
});

/**
 * conv 16 - block 16 - pool - block 32 - block 32 - mean - dense 10 on 28 x 28 images: seven batch norms. A block is two
 * convolutions beside a skip (He et al., "Deep Residual Learning for Image Recognition", 2016). No convolution has strides:
 * libraries pad those differently.
 */
export const residualCnn = workload({
  name: 'residual CNN',
  data: (rows) => classification(rows, [28, 28, 1], 10),
  layers: () => {
    const image = tf.input({ shape: [28, 28, 1] });
    let x = relu(normalizedConv(image, 16, 0));
    x = block(x, 16, 1);
    x = tf.layers.maxPooling2d({ poolSize: 2 }).apply(x) as tf.SymbolicTensor;
    x = block(x, 32, 3);
    x = block(x, 32, 5);
    const pooled = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(x);
    const dense = tf.layers.dense({ name: 'dense1', units: 10, activation: 'softmax', kernelInitializer: uniform(8) });
    return tf.model({ inputs: image, outputs: dense.apply(pooled) as tf.SymbolicTensor });
  },
});

/** @param first number of the first of its two convolutions; a skip that changes the number of channels is `skip${first}`. */
function block(x: tf.SymbolicTensor, filters: number, first: number): tf.SymbolicTensor {
  const inner = normalizedConv(relu(normalizedConv(x, filters, first)), filters, first + 1);
  const skip = x.shape[3] === filters ? x : conv(x, filters, 1, `skip${first}`, 10 + first);
  return relu(tf.layers.add().apply([skip, inner]) as tf.SymbolicTensor);
}

function normalizedConv(x: tf.SymbolicTensor, filters: number, index: number): tf.SymbolicTensor {
  const norm = tf.layers.batchNormalization({ name: `norm${index}` });
  return norm.apply(conv(x, filters, 3, `conv${index}`, index + 1)) as tf.SymbolicTensor;
}

function conv(x: tf.SymbolicTensor, filters: number, kernelSize: number, name: string, seed: number) {
  const options = { name, filters, kernelSize, padding: 'same', useBias: false } as const;
  return tf.layers.conv2d({ ...options, kernelInitializer: uniform(seed) }).apply(x) as tf.SymbolicTensor;
}

function relu(x: tf.SymbolicTensor): tf.SymbolicTensor {
  return tf.layers.reLU().apply(x) as tf.SymbolicTensor;
}
