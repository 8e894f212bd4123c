/** tfjs kernels for two-dimensional convolution. */
import * as tf from '@tensorflow/tfjs';
import { conv2d, conv2dInputGradient } from '../graph/convolution.js';
import { add } from '../graph/elementwise.js';
import { conv2dFilterGradient } from '../graph/filter-gradient.js';
import { transpose } from '../graph/layout.js';
import { permute } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import type { Window } from '../graph/window.js';
import { applyActivation } from './activation.js';
import { input, type KernelAttrs, type KernelInputs, type KernelRule, type KernelTable } from './rule.js';

type Shape4 = [number, number, number, number];

/** tfjs' own arithmetic for padding and output size, as a window. */
export function convWindow(inputShape: readonly number[], filterShape: readonly number[], attrs: KernelAttrs): Window {
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

/** How a tensor [batch, channels, height, width] is laid out as the compiler has it, and back. */
const FROM_PLANAR = [0, 2, 3, 1];
const TO_PLANAR = [0, 3, 1, 2];

/** A rule for tensors [batch, height, width, channels], for those with their channels first as well. */
const anyLayout =
  (rule: (inputs: KernelInputs, attrs: KernelAttrs) => Value, resultIsImage = true): KernelRule =>
  (inputs, attrs) => {
    if (attrs.dataFormat !== 'NCHW') return rule(inputs, attrs);
    const turned = { ...inputs };
    for (const name of ['x', 'dy']) if (inputs[name]) turned[name] = transpose(inputs[name], FROM_PLANAR);
    const inputShape = attrs.inputShape && permute(attrs.inputShape as number[], FROM_PLANAR);
    const y = rule(turned, { ...attrs, inputShape });
    return resultIsImage ? transpose(y, TO_PLANAR) : y;
  };

export const convolution: KernelTable = {
  Conv2D: anyLayout((inputs, attrs) => {
    const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')];
    return conv2d(x, filter, convWindow(x.shape, filter.shape, attrs));
  }),
  Conv2DBackpropFilter: anyLayout((inputs, attrs) => {
    const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')];
    return conv2dFilterGradient(x, dy, convWindow(x.shape, attrs.filterShape, attrs), attrs.filterShape);
  }, false),
  Conv2DBackpropInput: anyLayout((inputs, attrs) => {
    const [dy, filter] = [input(inputs, 'dy'), input(inputs, 'filter')];
    return conv2dInputGradient(dy, filter, convWindow(attrs.inputShape, filter.shape, attrs), attrs.inputShape);
  }),
  FusedConv2D: anyLayout((inputs, attrs) => {
    const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')];
    const y = conv2d(x, filter, convWindow(x.shape, filter.shape, attrs));
    const biased = inputs.bias ? add(y, inputs.bias) : y;
    return applyActivation(biased, attrs.activation, inputs.preluActivationWeights, attrs.leakyreluAlpha);
  }),
};
