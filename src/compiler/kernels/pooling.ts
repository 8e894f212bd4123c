/** tfjs kernels for two-dimensional pooling. */
import * as tf from '@tensorflow/tfjs';
import { avgPool, avgPoolGradient, maxPool, maxPoolGradient } from '../graph/pooling.js';
import type { Window } from '../graph/window.js';
import { input, type KernelAttrs, type KernelTable } from './rule.js';

type Shape4 = [number, number, number, number];

function poolWindow(inputShape: readonly number[], attrs: KernelAttrs): Window {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const info = tf.backend_util.computePool2DInfo(
    [...inputShape] as Shape4,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const { top, left, bottom, right } = info.padInfo;
  return {
    kernel: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [1, 1],
    offset: [0, 0],
    out: [info.outHeight, info.outWidth],
    padding: [top, left, bottom, right],
  };
}

export const pooling: KernelTable = {
  AvgPool: (inputs, attrs) => {
    const x = input(inputs, 'x');
    return avgPool(x, poolWindow(x.shape, attrs));
  },
  AvgPoolGrad: (inputs, attrs) => {
    const x = input(inputs, 'input');
    return avgPoolGradient(input(inputs, 'dy'), x, poolWindow(x.shape, attrs));
  },
  MaxPool: (inputs, attrs) => {
    const x = input(inputs, 'x');
    return maxPool(x, poolWindow(x.shape, attrs));
  },
  MaxPoolGrad: (inputs, attrs) => {
    const x = input(inputs, 'input');
    return maxPoolGradient(input(inputs, 'dy'), x, poolWindow(x.shape, attrs));
  },
};
