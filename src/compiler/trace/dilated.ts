/** Dilated convolution layers, which tfjs runs by a fused operation whose gradient refuses any dilation. */
import * as tf from '@tensorflow/tfjs';
import type { OpenLayer } from './engine.js';
import { swapMethod } from './layers.js';

interface ConvLayer extends OpenLayer {
  rank: number;
  kernel: { read(): tf.Tensor4D };
  bias: { read(): tf.Tensor } | null;
  strides: [number, number];
  padding: 'valid' | 'same';
  dataFormat: string;
  dilationRate: [number, number];
  activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}

/** Lets dilated Conv2D layers run as separate operations, for whose gradient the compiler has its own. */
export function unfuseDilated(layers: readonly OpenLayer[]): { restore(): void }[] {
  return layers.filter(isDilated).map((layer) => swapMethod(layer, 'call', callUnfused(layer)));
}

function isDilated(layer: OpenLayer): layer is ConvLayer {
  const conv = layer as ConvLayer;
  return layer.getClassName() === 'Conv2D' && conv.dilationRate.some((rate) => rate > 1);
}

function callUnfused(layer: ConvLayer): OpenLayer['call'] {
  return (inputs) => {
    const given = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const channelsFirst = layer.dataFormat === 'channelsFirst';
    const x = channelsFirst ? tf.transpose(given, [0, 2, 3, 1]) : given;
    let y: tf.Tensor = tf.conv2d(x, layer.kernel.read(), layer.strides, layer.padding, 'NHWC', layer.dilationRate);
    if (layer.bias) y = tf.add(y, layer.bias.read());
    if (channelsFirst) y = tf.transpose(y, [0, 3, 1, 2]);
    return layer.activation ? layer.activation.apply(y) : y;
  };
}
