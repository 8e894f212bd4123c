/** Gradients of filters as convolutions on blocks of images, beside the sum that they are. */
import { describe, expect, it } from 'vitest';
import { conv2dFilterGradient } from '#shardfit/compiler/graph/filter-gradient.js';
import { fitToSizes } from '#shardfit/compiler/graph/lower.js';
import { Graph, topologicalOrder, type Value } from '#shardfit/compiler/graph/value.js';
import { channelBlock } from '#shardfit/compiler/onnx/channel-block.js';
import { type Case, relativeError, runGraph, windowOf } from './convolution-case.js';
import { random } from './expect-step.js';

/** dW[ky, kx, c, o] = sum over n, i, j of x[n, i sh + ky dh - top, j sw + kx dw - left, c] dy[n, i, j, o], in double precision. */
function expected(x: Float32Array, dy: Float32Array, example: Case): Float64Array {
  const { images, size, channels, outputs } = example;
  const { kernel, stride, dilation, offset, out, padding } = windowOf(example);
  const sums = new Float64Array(kernel[0] * kernel[1] * channels * outputs);
  const add = (at: number, value: number) => {
    sums[at] = (sums[at] as number) + value;
  };
  for (let n = 0; n < images; n++)
    for (let i = 0; i < out[0]; i++)
      for (let j = 0; j < out[1]; j++)
        for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
          const [ky, kx] = [Math.floor(tap / kernel[1]), tap % kernel[1]];
          const row = offset[0] + i * stride[0] + ky * dilation[0] - padding[0];
          const column = offset[1] + j * stride[1] + kx * dilation[1] - padding[1];
          if (row < 0 || row >= size[0] || column < 0 || column >= size[1]) continue;
          const seen = ((n * size[0] + row) * size[1] + column) * channels;
          const given = ((n * out[0] + i) * out[1] + j) * outputs;
          for (let c = 0; c < channels; c++)
            for (let o = 0; o < outputs; o++)
              add((tap * channels + c) * outputs + o, (x[seen + c] as number) * (dy[given + o] as number));
        }
  return sums;
}

async function compute(example: Case): Promise<{ error: number; operators: string[] }> {
  const { images, size, channels, outputs } = example;
  const window = windowOf(example);
  const graph = new Graph();
  const input = (name: string, shape: number[]) => graph.input(name, { shape, dtype: 'float32' });
  const [x, dy] = [input('x', [images, ...size, channels]), input('dy', [images, ...window.out, outputs])];
  const [gradient] = fitToSizes([conv2dFilterGradient(x, dy, window, [...window.kernel, channels, outputs])]) as [
    Value,
  ];
  const [xs, dys] = [x, dy].map(({ shape }, i) => random([...shape], i + 1).dataSync() as Float32Array) as [
    Float32Array,
    Float32Array,
  ];
  const actual = await runGraph(gradient, { x: [x, xs], dy: [dy, dys] });
  return {
    error: relativeError(actual, expected(xs, dys, example)),
    operators: topologicalOrder([gradient]).map(({ op }) => op),
  };
}

const BLOCKED: [string, Case][] = [
  ['whole blocks of images', { images: 16, size: [9, 8], channels: 16, outputs: 16 }],
  ['several blocks of outputs', { images: 32, size: [7, 6], channels: 24, outputs: 48 }],
  ['bands, so that sums are short', { images: 16, size: [28, 28], channels: 8, outputs: 16 }],
  ['bands, so that images make blocks', { images: 12, size: [12, 9], channels: 16, outputs: 32 }],
  ['bands of one block', { images: 4, size: [16, 18], channels: 16, outputs: 16 }],
  ['no padding', { images: 16, size: [10, 12], channels: 16, outputs: 16, padding: [0, 0, 0, 0] }],
  [
    'padding of one side, a kernel of 2 x 5',
    { images: 16, size: [10, 11], channels: 8, outputs: 16, kernel: [2, 5], padding: [0, 2, 1, 1] },
  ],
  ['strides', { images: 32, size: [16, 15], channels: 16, outputs: 16, stride: [2, 2] }],
  [
    'different strides, and bands',
    { images: 8, size: [23, 20], channels: 16, outputs: 16, stride: [2, 1], padding: [1, 1, 2, 1] },
  ],
  [
    'rows that are dilated',
    { images: 16, size: [12, 10], channels: 16, outputs: 16, dilation: [2, 1], padding: [2, 1, 2, 1] },
  ],
  ['few channels', { images: 16, size: [18, 17], channels: 4, outputs: 16 }],
  [
    'few channels and strides',
    { images: 16, size: [35, 33], channels: 3, outputs: 16, kernel: [5, 5], stride: [2, 2] },
  ],
  ['windows that begin further on', { images: 16, size: [12, 10], channels: 16, outputs: 16, offset: [1, 2] }],
];

describe('a gradient of a filter on blocks of images is the sum that it is', () => {
  it.each(BLOCKED)('with %s', async (_, example) => {
    const { error, operators } = await compute(example);
    expect(error).toBeLessThan(4e-6);
    if (channelBlock() > 1) expect(operators).toContain('BlockedConv');
  });
});

const BY_PRODUCTS: [string, Case][] = [
  ['outputs that make no block', { images: 16, size: [14, 14], channels: 16, outputs: 20 }],
  ['images that make no block in any number of bands', { images: 7, size: [13, 14], channels: 16, outputs: 16 }],
  [
    'columns that are dilated',
    { images: 16, size: [12, 10], channels: 16, outputs: 16, dilation: [1, 2], padding: [1, 2, 1, 2] },
  ],
  [
    'a kernel of one element',
    { images: 16, size: [12, 10], channels: 16, outputs: 16, kernel: [1, 1], padding: [0, 0, 0, 0] },
  ],
  ['very few channels', { images: 16, size: [18, 17], channels: 1, outputs: 16 }],
  ['little to do', { images: 16, size: [3, 3], channels: 16, outputs: 16 }],
];

describe('by products, too', () => {
  it.each(BY_PRODUCTS)('with %s', async (_, example) => {
    const { error, operators } = await compute(example);
    expect(error).toBeLessThan(2e-6);
    expect(operators).not.toContain('BlockedConv');
  });
});
