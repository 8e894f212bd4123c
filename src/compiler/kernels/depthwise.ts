/** tfjs kernels for depthwise convolution. */
import { depthwiseConv2d, depthwiseFilterGradient, depthwiseInputGradient } from '../graph/depthwise.js';
import { add } from '../graph/elementwise.js';
import { applyActivation } from './activation.js';
import { convWindow } from './convolution.js';
import { input, type KernelTable } from './rule.js';

export const depthwise: KernelTable = {
  DepthwiseConv2dNative: (inputs, attrs) => {
    const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')];
    return depthwiseConv2d(x, filter, convWindow(x.shape, filter.shape, attrs));
  },
  DepthwiseConv2dNativeBackpropFilter: (inputs, attrs) => {
    const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')];
    return depthwiseFilterGradient(x, dy, convWindow(x.shape, attrs.filterShape, attrs), attrs.filterShape);
  },
  DepthwiseConv2dNativeBackpropInput: (inputs, attrs) => {
    const [dy, filter] = [input(inputs, 'dy'), input(inputs, 'filter')];
    return depthwiseInputGradient(dy, filter, convWindow(attrs.inputShape, filter.shape, attrs), attrs.inputShape);
  },
  FusedDepthwiseConv2D: (inputs, attrs) => {
    const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')];
    const y = depthwiseConv2d(x, filter, convWindow(x.shape, filter.shape, attrs));
    const biased = inputs.bias ? add(y, inputs.bias) : y;
    return applyActivation(biased, attrs.activation, inputs.preluActivationWeights, attrs.leakyreluAlpha);
  },
};
