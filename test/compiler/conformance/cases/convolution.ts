/** Convolutions and what changes the size of images. */
import * as tf from '@tensorflow/tfjs';
import { between, custom, type Extra, type LayerCase, variants } from '../layer-case.js';

const UPSAMPLED = "tfjs' cpu gradient is wrong for more than one row, and for images that are not square";
const DILATED: Extra = { numerical: 'tfjs refuses gradients of dilated convolutions' };
const dilated = (options: object): Extra => ('dilationRate' in options ? DILATED : {});

const regularized = {
  kernelRegularizer: tf.regularizers.l2({ l2: 0.05 }),
  biasRegularizer: tf.regularizers.l1({ l1: 0.01 }),
};

export const convolution: LayerCase[] = [
  ...variants(
    'conv1d',
    [8, 3],
    { filters: 4, kernelSize: 3 },
    [{ activation: 'relu' }, { padding: 'same', strides: 2 }, { dilationRate: 2 }, { useBias: false }, regularized],
    dilated,
  ),
  ...variants(
    'conv2d',
    [6, 7, 3],
    { filters: 4, kernelSize: 3 },
    [
      { activation: 'relu' },
      { padding: 'same' },
      { padding: 'same', strides: 2 },
      { strides: [2, 1], kernelSize: [2, 3] },
      { dilationRate: 2 },
      { padding: 'same', dilationRate: [2, 1] },
      { useBias: false },
      { kernelSize: 1, activation: 'softmax' },
      { dataFormat: 'channelsFirst', padding: 'same', strides: 2 },
      regularized,
    ],
    dilated,
  ),
  ...variants('conv2dTranspose', [4, 3, 3], { filters: 2, kernelSize: 3 }, [
    { activation: 'tanh' },
    { padding: 'same', strides: 2 },
    { strides: 2 },
    { strides: 3, kernelSize: 2 },
    { useBias: false },
    { dataFormat: 'channelsFirst', padding: 'same', strides: 2 },
    regularized,
  ]),
  ...variants(
    'conv3d',
    [4, 5, 3, 2],
    { filters: 3, kernelSize: 2 },
    [
      { activation: 'relu' },
      { padding: 'same', strides: 2 },
      { kernelSize: 1, padding: 'same', strides: 2 },
      { kernelSize: [2, 3, 1], padding: 'same' },
      { dilationRate: 2 },
      { useBias: false },
      { dataFormat: 'channelsFirst', padding: 'same' },
      regularized,
    ],
    dilated,
  ),
  ...variants(
    'conv3dTranspose',
    [3, 2, 2, 2],
    { filters: 2, kernelSize: 2 },
    [
      {},
      { padding: 'same', strides: 2 },
      { strides: 2, kernelSize: 3 },
      { useBias: false },
      { dataFormat: 'channelsFirst' },
    ],
    { numerical: 'tfjs has no gradient of it' },
  ),
  ...variants(
    'depthwiseConv2d',
    [6, 7, 3],
    { kernelSize: 3 },
    [
      { activation: 'relu' },
      { padding: 'same', strides: 2 },
      { depthMultiplier: 2 },
      { depthMultiplier: 2, padding: 'same' },
      { dilationRate: 2 },
      { useBias: false },
      { dataFormat: 'channelsFirst' },
      { depthwiseRegularizer: tf.regularizers.l2({ l2: 0.05 }) },
    ],
    dilated,
  ),
  ...variants(
    'separableConv2d',
    [6, 7, 3],
    { filters: 4, kernelSize: 3 },
    [
      { activation: 'relu' },
      { padding: 'same', strides: 2 },
      { depthMultiplier: 2 },
      { dilationRate: 2 },
      // tfjs cannot add a bias to channels that come first here.
      { useBias: false },
      { dataFormat: 'channelsFirst', useBias: false },
      {
        depthwiseRegularizer: tf.regularizers.l2({ l2: 0.05 }),
        pointwiseRegularizer: tf.regularizers.l1({ l1: 0.01 }),
      },
    ],
    dilated,
  ),
  ...variants('cropping2D', [5, 6, 2], {}, [
    {
      cropping: [
        [1, 1],
        [0, 2],
      ],
    },
    {
      cropping: [
        [1, 0],
        [1, 0],
      ],
      dataFormat: 'channelsFirst',
    },
  ]),
  ...variants('zeroPadding2d', [3, 4, 2], {}, [
    {},
    { padding: [1, 2] },
    {
      padding: [
        [0, 1],
        [2, 0],
      ],
    },
    { padding: 1, dataFormat: 'channelsFirst' },
  ]),
  ...variants(
    'upSampling2d',
    [3, 4, 2],
    {},
    [
      { size: [2, 2] },
      { size: [3, 1] },
      { size: [2, 2], interpolation: 'bilinear' },
      { size: [2, 3], interpolation: 'bilinear' },
      { size: [2, 2], dataFormat: 'channelsFirst' },
      { size: [2, 2], dataFormat: 'channelsFirst', interpolation: 'bilinear' },
    ],
    { numerical: UPSAMPLED },
  ),
  custom(
    'upSampling2d',
    'after a convolution',
    () =>
      between(
        [4, 4, 2],
        [
          tf.layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }),
          tf.layers.upSampling2d({ size: [2, 2] }),
          tf.layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same' }),
        ],
      ),
    { numerical: UPSAMPLED },
  ),
];
