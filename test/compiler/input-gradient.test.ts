/** Gradients of inputs as convolutions with filters turned around, beside the sums that they are. */
import { describe, expect, it } from 'vitest';
import { conv2dInputGradient } from '#shardfit/compiler/graph/convolution.js';
import { depthwiseInputGradient } from '#shardfit/compiler/graph/depthwise.js';
import { fitToSizes, forRuntime, lowerGraph } from '#shardfit/compiler/graph/lower.js';
import { Graph, topologicalOrder, type Value } from '#shardfit/compiler/graph/value.js';
import { channelBlock } from '#shardfit/compiler/onnx/channel-block.js';
import { type Case, relativeError, runGraph, windowOf } from './convolution-case.js';
import { random } from './expect-step.js';

/** One block of channels; some number of them where there are no blocks. */
const BLOCK = Math.max(8, channelBlock());

/** dx[n, i sh + ky dh - top, j sw + kx dw - left, c] = sum over ky, kx, o of dy[n, i, j, o] filter[ky, kx, c, o], in double precision. */
function expected(dy: Float32Array, filter: Float32Array, example: Case, isDepthwise: boolean): Float64Array {
  const { images, size, channels, outputs } = example;
  const { kernel, stride, dilation, out, padding } = windowOf(example);
  const sums = new Float64Array(images * size[0] * size[1] * channels);
  for (let n = 0; n < images; n++)
    for (let i = 0; i < out[0]; i++)
      for (let j = 0; j < out[1]; j++)
        for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
          const row = i * stride[0] + Math.floor(tap / kernel[1]) * dilation[0] - padding[0];
          const column = j * stride[1] + (tap % kernel[1]) * dilation[1] - padding[1];
          if (row < 0 || row >= size[0] || column < 0 || column >= size[1]) continue;
          const given = ((n * out[0] + i) * out[1] + j) * outputs;
          for (let c = 0; c < channels; c++) {
            let sum = 0;
            if (isDepthwise) sum = (dy[given + c] as number) * (filter[tap * channels + c] as number);
            else
              for (let o = 0; o < outputs; o++)
                sum += (dy[given + o] as number) * (filter[(tap * channels + c) * outputs + o] as number);
            const at = ((n * size[0] + row) * size[1] + column) * channels + c;
            sums[at] = (sums[at] as number) + sum;
          }
        }
  return sums;
}

async function compute(example: Case, isDepthwise = false): Promise<{ error: number; operators: string[] }> {
  const { images, size, channels, outputs } = example;
  const window = windowOf(example);
  const graph = new Graph();
  const input = (name: string, shape: number[]) => graph.input(name, { shape, dtype: 'float32' });
  const dy = input('dy', [images, ...window.out, outputs]);
  const filter = input('filter', [...window.kernel, channels, isDepthwise ? 1 : outputs]);
  const gradient = isDepthwise ? depthwiseInputGradient : conv2dInputGradient;
  const lowered = lowerGraph([gradient(dy, filter, window, [images, ...size, channels])], new Map());
  const [value] = forRuntime(fitToSizes(lowered)) as [Value];
  const [dys, filters] = [dy, filter].map(({ shape }, i) => random([...shape], i + 1).dataSync() as Float32Array) as [
    Float32Array,
    Float32Array,
  ];
  const actual = await runGraph(value, { dy: [dy, dys], filter: [filter, filters] });
  return {
    error: relativeError(actual, expected(dys, filters, example, isDepthwise)),
    operators: topologicalOrder([value]).map(({ op }) => op),
  };
}

const [channels, outputs] = [BLOCK, 2 * BLOCK];
const NONE = [0, 0, 0, 0] as const;

const TURNED: [string, Case][] = [
  ['strides of 1', { images: 3, size: [7, 6], channels, outputs }],
  ['no padding', { images: 3, size: [9, 12], channels, outputs, padding: NONE }],
  ['a dilation', { images: 2, size: [9, 8], channels, outputs, dilation: [2, 1], padding: [2, 1, 2, 1] }],
  ['strides', { images: 3, size: [8, 9], channels, outputs, stride: [2, 2] }],
  [
    'strides and padding at the end alone',
    { images: 3, size: [8, 10], channels, outputs, stride: [2, 2], padding: [0, 0, 1, 1] },
  ],
  ['different strides', { images: 2, size: [9, 7], channels, outputs, stride: [3, 1], kernel: [4, 3] }],
  [
    'pixels between the windows',
    { images: 2, size: [9, 9], channels, outputs, kernel: [3, 2], stride: [2, 3], padding: NONE },
  ],
  [
    'pixels behind the windows',
    { images: 2, size: [10, 8], channels, outputs, stride: [2, 2], kernel: [3, 3], padding: NONE },
  ],
  [
    'single taps for some pixels',
    { images: 2, size: [8, 8], channels, outputs, stride: [2, 2], kernel: [3, 1], padding: [1, 0, 1, 0] },
  ],
  ['many pixels for a window, and few outputs', { images: 2, size: [4, 4], channels, outputs: BLOCK, padding: NONE }],
  ['channels that are filled up', { images: 3, size: [8, 7], channels: BLOCK - 2, outputs }],
  [
    'channels that are filled up, and strides',
    { images: 3, size: [8, 9], channels: BLOCK - 2, outputs, stride: [2, 2], kernel: [5, 5] },
  ],
];

const ADDED_UP: [string, Case][] = [
  [
    'outputs that make no blocks, and strides',
    { images: 2, size: [8, 8], channels, outputs: BLOCK + 4, stride: [2, 2] },
  ],
  ['few windows of many pixels', { images: 2, size: [3, 3], channels, outputs, padding: NONE }],
  [
    'many pixels for a window, and many outputs',
    { images: 2, size: [4, 4], channels, outputs: 8 * BLOCK, padding: NONE },
  ],
  ['few channels', { images: 2, size: [8, 8], channels: 2, outputs }],
];

describe("a gradient of a convolution's input", () => {
  it.each(TURNED)('is a convolution of dy with %s', async (_, example) => {
    const { error, operators } = await compute(example);
    expect(error).toBeLessThan(1e-6);
    if (channelBlock() > 1) expect(operators).toContain('BlockedConv');
  });

  it.each(ADDED_UP)('is added up from taps with %s', async (_, example) => {
    const { error, operators } = await compute(example);
    expect(error).toBeLessThan(1e-6);
    expect(operators).not.toContain('BlockedConv');
  });
});

/** In many of them there are pixels that no window sees. */
const DEPTHWISE: [string, Omit<Case, 'images' | 'channels' | 'outputs'>][] = [
  ['strides of 1', { size: [7, 6] }],
  ['strides', { size: [8, 9], stride: [2, 2] }],
  ['an image of one pixel', { size: [1, 1], stride: [3, 3] }],
  ['images of one row', { size: [1, 12], stride: [3, 3] }],
  ['a kernel smaller than the strides', { size: [9, 7], kernel: [2, 2], stride: [3, 3], padding: NONE }],
  ['a kernel of 4 x 4 and strides of 4', { size: [2, 8], kernel: [4, 4], stride: [4, 4] }],
  ['windows before the image', { size: [4, 4], kernel: [2, 2], stride: [4, 4], padding: [1, 1, 0, 0] }],
];

describe("a gradient of a depthwise convolution's input", () => {
  it.each(DEPTHWISE)('is one, too, with %s', async (_, example) => {
    const { error, operators } = await compute({ images: 3, channels: BLOCK, outputs: BLOCK, ...example }, true);
    expect(error).toBeLessThan(1e-6);
    if (channelBlock() > 1) expect(operators).toContain('BlockedConv');
  });

  it('is added up from taps where there are strides and no blocks', async () => {
    const example = { images: 3, size: [8, 9], stride: [2, 2], channels: BLOCK - 3, outputs: BLOCK - 3 } as const;
    const { error, operators } = await compute(example, true);
    expect(error).toBeLessThan(1e-6);
    expect(operators).not.toContain('BlockedConv');
  });
});
