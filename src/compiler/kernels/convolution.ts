/** tfjs kernels for two-dimensional convolution. */
import * as tf from '@tensorflow/tfjs';
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from '../graph/convolution.js';
import { add } from '../graph/elementwise.js';
import type { Window } from '../graph/window.js';
import { applyActivation } from './activation.js';
import { input, type KernelAttrs, type KernelTable } from './rule.js';

type Shape4 = [number, number, number, number];

/** tfjs' own arithmetic for padding and output size, as a window. */
export function convWindow(inputShape: readonly number[], filterShape: readonly number[], attrs: KernelAttrs): Window {
  if (attrs.dataFormat === 'NCHW')
    throw new RangeError("dataFormat 'NCHW' is not supported in tfjs operations; use 'NHWC'");
  const info = tf.backend_util.computeConv2DInfo(
    [...inputShape] as Shape4,
    [...filterShape] as Shape4,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
  );
  const { top, left, bottom, right } = info.padInfo;
  return {
    kernel: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    offset: [0, 0],
    out: [info.outHeight, info.outWidth],
    padding: [top, left, bottom, right],
  };
}

export const convolution: KernelTable = {
  Conv2D: (inputs, attrs) => {
    const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')];
    return conv2d(x, filter, convWindow(x.shape, filter.shape, attrs));
  },
  Conv2DBackpropFilter: (inputs, attrs) => {
    const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')];
    return conv2dFilterGradient(x, dy, convWindow(x.shape, attrs.filterShape, attrs), attrs.filterShape);
  },
  Conv2DBackpropInput: (inputs, attrs) => {
    const [dy, filter] = [input(inputs, 'dy'), input(inputs, 'filter')];
    return conv2dInputGradient(dy, filter, convWindow(attrs.inputShape, filter.shape, attrs), attrs.inputShape);
  },
  FusedConv2D: (inputs, attrs) => {
    const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')];
    const y = conv2d(x, filter, convWindow(x.shape, filter.shape, attrs));
    const biased = inputs.bias ? add(y, inputs.bias) : y;
    return applyActivation(biased, attrs.activation, inputs.preluActivationWeights, attrs.leakyreluAlpha);
  },
};
