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
 * conv 32 - conv 32 - pool - conv 64 - conv 64 - pool - dense 128 - dense 10 on 32 x 32 images of three channels (Simonyan and Zisserman, "Very
 * deep convolutional networks for large-scale image recognition", 2015).
 */
export const vgg = workload({
  name: 'VGG',
  data: (rows) => classification(rows, [32, 32, 3], 10),
  layers: () => {
    const conv = (index: number, filters: number, options = {}) => {
      const shared = { kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: uniform(index) } as const;
      return tf.layers.conv2d({ name: `conv${index}`, filters, ...shared, ...options });
    };
    const layers = [
      conv(1, 32, { inputShape: [32, 32, 3] }),
      conv(2, 32),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      conv(3, 64),
      conv(4, 64),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ name: 'dense1', units: 128, activation: 'relu', kernelInitializer: uniform(5) }),
      tf.layers.dense({ name: 'dense2', units: 10, activation: 'softmax', kernelInitializer: uniform(6) }),
    ];
    return tf.sequential({ layers });
  },
});

/**
 * conv 16 - separable 32, 64, 64, 128 - mean - dense 10 on 49 x 49 images of three channels, with nine batch norms: a depthwise convolution, then
 * one of single pixels, each (Howard et al., "MobileNets", 2017). Three have strides, of images of odd sides, which libraries pad alike.
 */
export const mobilenet = workload({
  name: 'MobileNet',
  data: (rows) => classification(rows, [49, 49, 3], 10),
  layers: () => {
    const image = tf.input({ shape: [49, 49, 3] });
    let x = relu(normalized(conv(image, 16, 3, 'conv0', 1, 2), 0));
    [32, 64, 64, 128].forEach((filters, i) => {
      const options = { name: `depthwise${i + 1}`, kernelSize: 3, strides: 1 + (i % 2), padding: 'same' } as const;
      const depthwise = tf.layers.depthwiseConv2d({
        ...options,
        useBias: false,
        depthwiseInitializer: uniform(10 + i),
      });
      x = relu(normalized(depthwise.apply(x) as tf.SymbolicTensor, 2 * i + 1));
      x = relu(normalized(conv(x, filters, 1, `conv${i + 1}`, 20 + i), 2 * i + 2));
    });
    const pooled = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(x);
    const dense = tf.layers.dense({ name: 'dense1', units: 10, activation: 'softmax', kernelInitializer: uniform(30) });
    return tf.model({ inputs: image, outputs: dense.apply(pooled) as tf.SymbolicTensor });
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
  return normalized(conv(x, filters, 3, `conv${index}`, index + 1), index);
}

function normalized(x: tf.SymbolicTensor, index: number): tf.SymbolicTensor {
  return tf.layers.batchNormalization({ name: `norm${index}` }).apply(x) as tf.SymbolicTensor;
}

function conv(x: tf.SymbolicTensor, filters: number, kernelSize: number, name: string, seed: number, strides = 1) {
  const options = { name, filters, kernelSize, strides, padding: 'same', useBias: false } as const;
  return tf.layers.conv2d({ ...options, kernelInitializer: uniform(seed) }).apply(x) as tf.SymbolicTensor;
}

function relu(x: tf.SymbolicTensor): tf.SymbolicTensor {
  return tf.layers.reLU().apply(x) as tf.SymbolicTensor;
}
