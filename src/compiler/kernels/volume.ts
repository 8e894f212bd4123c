/** tfjs kernels for convolution and pooling over three axes. */
import * as tf from '@tensorflow/tfjs';
import type { Value } from '../graph/value.js';
import {
  avgPool3d,
  avgPool3dGradient,
  conv3d,
  conv3dFilterGradient,
  conv3dInputGradient,
  maxPool3d,
  maxPool3dGradient,
  type VolumeWindow,
} from '../graph/volume.js';
import { input, type KernelAttrs, type KernelRule, type KernelTable } from './rule.js';

type Shape5 = [number, number, number, number, number];
type Conv3DInfo = ReturnType<typeof tf.backend_util.computeConv3DInfo>;

function volumeWindow(info: Conv3DInfo): VolumeWindow {
  const { front, back, top, bottom, left, right } = info.padInfo;
  return {
    depth: {
      kernel: [info.filterDepth, 1],
      stride: [info.strideDepth, 1],
      dilation: [info.dilationDepth, 1],
      offset: [0, 0],
      out: [info.outDepth, 1],
      padding: [front, 0, back, 0],
    },
    plane: {
      kernel: [info.filterHeight, info.filterWidth],
      stride: [info.strideHeight, info.strideWidth],
      dilation: [info.dilationHeight, info.dilationWidth],
      offset: [0, 0],
      out: [info.outHeight, info.outWidth],
      padding: [top, left, bottom, right],
    },
  };
}

function convWindow(inputShape: readonly number[], filterShape: readonly number[], attrs: KernelAttrs): VolumeWindow {
  const { strides, dilations, pad } = attrs;
  const [x, filter] = [[...inputShape] as Shape5, [...filterShape] as Shape5];
  return volumeWindow(tf.backend_util.computeConv3DInfo(x, filter, strides, dilations ?? 1, pad));
}

function poolWindow(x: Value, attrs: KernelAttrs): VolumeWindow {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  return volumeWindow(
    tf.backend_util.computePool3DInfo([...x.shape] as Shape5, filterSize, strides, 1, pad, dimRoundingMode),
  );
}

const pool =
  (f: (x: Value, window: VolumeWindow) => Value): KernelRule =>
  (inputs, attrs) => {
    const x = input(inputs, 'x');
    return f(x, poolWindow(x, attrs));
  };

const poolGradient =
  (f: (dy: Value, x: Value, window: VolumeWindow) => Value): KernelRule =>
  (inputs, attrs) => {
    const x = input(inputs, 'input');
    return f(input(inputs, 'dy'), x, poolWindow(x, attrs));
  };

export const volume: KernelTable = {
  AvgPool3D: pool(avgPool3d),
  AvgPool3DGrad: poolGradient(avgPool3dGradient),
  Conv3D: (inputs, attrs) => {
    const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')];
    return conv3d(x, filter, convWindow(x.shape, filter.shape, attrs));
  },
  Conv3DBackpropFilterV2: (inputs, attrs) => {
    const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')];
    return conv3dFilterGradient(x, dy, convWindow(x.shape, attrs.filterShape, attrs), attrs.filterShape);
  },
  Conv3DBackpropInputV2: (inputs, attrs) => {
    const [dy, filter] = [input(inputs, 'dy'), input(inputs, 'filter')];
    return conv3dInputGradient(dy, filter, convWindow(attrs.inputShape, filter.shape, attrs), attrs.inputShape);
  },
  MaxPool3D: pool(maxPool3d),
  MaxPool3DGrad: poolGradient(maxPool3dGradient),
};
