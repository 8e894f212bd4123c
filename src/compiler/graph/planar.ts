/**
 * Convolution by ONNX' own operator, whose layout is [batch, channels, height, width]. It gathers windows piece by piece
 * in cache and is faster than a product with gathered windows, unless those are needed for the filter's gradient anyway.
 */
import { fitsBlocks } from './blocked.js';
import { reverse, slice, transpose } from './layout.js';
import { dim } from './shapes.js';
import type { Value } from './value.js';
import { type Pair, type Window, windowLength } from './window.js';

/** The convolution of x [batch, height, width, channels] in that layout: the transposes around it are explicit. */
export function planarConv2d(x: Value, filter: Value, window: Window): Value {
  return planarConvolution(x, transpose(filter, [3, 2, 0, 1]), window, 1);
}

/** Each of `groups` groups of channels has filters of its own; `filters` is [outputs, inputs of a group, height, width]. */
export function planarConvolution(x: Value, filters: Value, window: Window, groups: number): Value {
  const ends = ([0, 1] as const).map((axis) => {
    const begin = (window.padding[axis] as number) - window.offset[axis];
    const last = (window.out[axis] - 1) * window.stride[axis] + windowLength(window, axis);
    return { begin, end: last - begin - dim(x.shape, axis + 1) };
  });
  // Negative padding cuts.
  const cut = slice(
    x,
    [0, ...ends.map(({ begin }) => Math.max(0, -begin)), 0],
    [
      dim(x.shape, 0),
      ...ends.map(({ begin, end }, i) => dim(x.shape, i + 1) + Math.min(0, begin) + Math.min(0, end)),
      dim(x.shape, 3),
    ],
  );
  const attrs = {
    group: groups,
    kernel_shape: window.kernel,
    strides: window.stride,
    dilations: window.dilation,
    pads: [...ends.map(({ begin }) => Math.max(0, begin)), ...ends.map(({ end }) => Math.max(0, end))],
  };
  const inputs = [transpose(cut, [0, 3, 1, 2]), filters];
  const shape = [dim(x.shape, 0), dim(filters.shape, 0), ...window.out];
  return transpose(x.graph.node('Conv', inputs, attrs, { shape, dtype: x.dtype }), [0, 2, 3, 1]);
}

/** Wider outputs than this times the gradient's would cost more products than adding pieces up costs copies. */
const MAX_GROWTH = 1.3;
/** The same of convolutions on blocks of channels, for each row of a filter: they skip what is padding, and the more taps, the more copies. */
const MAX_BLOCKED_GROWTH = 0.6;

/**
 * Gradient of a convolution's input as a convolution of dy with the filter turned around; undefined where that is slow.
 *
 * @param pixels of an image of dy, but for those that are known to be zero.
 */
export function turnedConvolution(
  dy: Value,
  filter: Value,
  window: Window,
  [height, width]: Pair,
  pixels: number,
): [dy: Value, filter: Value, window: Window] | undefined {
  const [rows, columns, inputs, outputs] = filter.shape as [number, number, number, number];
  const isWide = inputs >= 8 && outputs >= 8;
  const isPlain = window.stride.every((s) => s === 1) && window.offset.every((o) => o === 0);
  if (!isWide || !isPlain || rows * columns === 1) return undefined;
  const blocked = fitsBlocks(outputs, inputs) ? MAX_BLOCKED_GROWTH * Math.sqrt(rows * columns) : 0;
  if (height * width > pixels * Math.max(MAX_GROWTH, blocked)) return undefined;
  return [dy, transpose(reverse(filter, [0, 1]), [0, 1, 3, 2]), turnedWindow(window, [height, width])];
}

/** The window by which dy, with filters turned around, gives the gradient of an input of this size; for strides of 1. */
export function turnedWindow(window: Window, size: Pair): Window {
  const [before, beside] = ([0, 1] as const).map(
    (axis) => windowLength(window, axis) - 1 - (window.padding[axis] as number),
  ) as [number, number];
  // Of the padding only its begin counts: the window's size says where the end is.
  return {
    ...window,
    out: size,
    padding: [Math.max(0, before), Math.max(0, beside), 0, 0] as const,
    offset: [Math.max(0, -before), Math.max(0, -beside)] as const,
  };
}
