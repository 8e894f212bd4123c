/**
 * Convolution by ONNX' own operator, whose layout is [batch, channels, height, width]. It gathers windows piece by piece
 * in cache and is faster than a product with gathered windows, unless those are needed for the filter's gradient anyway.
 */
import { slice, transpose } from './layout.js';
import { dim } from './shapes.js';
import type { Value } from './value.js';
import { type Window, windowLength } from './window.js';

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
