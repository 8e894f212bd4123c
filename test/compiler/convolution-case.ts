/** Convolutions of all kinds, whose gradients are compared with the sums that they are. */
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import type { Value } from '#shardfit/compiler/graph/value.js';
import type { Window } from '#shardfit/compiler/graph/window.js';
import { encodeModel } from '#shardfit/compiler/onnx/encode.js';

export type Pair = readonly [number, number];

/** A convolution of images of this size: without more, of 3 x 3 taps that are padded on all sides. */
export interface Case {
  images: number;
  /** Of x. */
  size: Pair;
  channels: number;
  outputs: number;
  kernel?: Pair;
  stride?: Pair;
  dilation?: Pair;
  padding?: Window['padding'];
  offset?: Pair;
}

const SAME = [1, 1, 1, 1] as const;

export function windowOf({
  size,
  kernel = [3, 3],
  stride = [1, 1],
  dilation = [1, 1],
  padding = SAME,
  offset = [0, 0],
}: Case): Window {
  const [top, left, bottom, right] = padding;
  const padded = [size[0] + top + bottom, size[1] + left + right];
  const out = ([0, 1] as const).map((axis) => {
    const reach = (kernel[axis] - 1) * dilation[axis] + 1;
    return Math.floor(((padded[axis] as number) - offset[axis] - reach) / stride[axis]) + 1;
  }) as [number, number];
  return { kernel, stride, dilation, offset, out, padding };
}

/** What ONNX Runtime computes for a value, from inputs by name. */
export async function runGraph(value: Value, inputs: Record<string, [Value, Float32Array]>): Promise<Float32Array> {
  const named = Object.entries(inputs).map(([name, [input]]) => ({ name, value: input }));
  const onnx = encodeModel(named, [{ name: 'result', value }]);
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds = Object.entries(inputs).map(([name, [{ shape }, data]]) => [
    name,
    new ort.Tensor('float32', data, shape),
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return results.result?.data as Float32Array;
}

/** The largest difference, over the largest of the numbers that are wanted. */
export function relativeError(actual: Float32Array, wanted: Float64Array): number {
  expect(actual).toHaveLength(wanted.length);
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - (wanted[i] as number)) / scale), 0);
}
