/**
 * Depthwise convolutions: every channel has filters of its own, so that there is no matrix to multiply with. ONNX' own
 * convolution knows such groups; what it has no operator for goes tap by tap.
 * Filters are [height, width, channels, multiplier]; output channel c * multiplier + m is filter m of channel c.
 */
import { fitsBlocks } from './blocked.js';
import { mul } from './elementwise.js';
import { scatterAdd } from './interleave.js';
import { concat, reshape, slice, transpose } from './layout.js';
import { planarConvolution } from './planar.js';
import { reduce } from './reduction.js';
import { dim } from './shapes.js';
import { canTurn, isStrided, turnedGradient } from './turned.js';
import type { Value } from './value.js';
import {
  padInput,
  tap,
  tapPositions,
  tapStart,
  type Window,
  windowAttrs,
  windowFrom,
  withoutPadding,
} from './window.js';

/** Symbolic until lowered: of a transposed value, transposes would move into what uses it, which would then be done with channels first. */
export function depthwiseConv2d(x: Value, filter: Value, window: Window): Value {
  const shape = [dim(x.shape, 0), ...window.out, dim(filter.shape, 2) * dim(filter.shape, 3)];
  return x.graph.node('DepthwiseConv2d', [x, filter], windowAttrs(window), { shape, dtype: x.dtype });
}

export function lowerDepthwiseConv2d({ inputs, attrs }: Value): Value {
  const [x, filter] = inputs as [Value, Value];
  const [height, width, channels, multiplier] = filter.shape as [number, number, number, number];
  const filters = reshape(transpose(filter, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
  return planarConvolution(x, filters, windowFrom(attrs), channels);
}

/** Factors of tap k: [channels, multiplier], or [channels] where the multiplier is 1. */
function tapFilter(filter: Value, k: number): Value {
  const [, width, channels, multiplier] = filter.shape as [number, number, number, number];
  const factors = slice(filter, [Math.floor(k / width), k % width, 0, 0], [1, 1, channels, multiplier]);
  return reshape(factors, multiplier > 1 ? [channels, multiplier] : [channels]);
}

/** The gradient of the output with its channels apart: [..., channels, multiplier]. */
function byChannel(dy: Value, channels: number): Value {
  const multiplier = dim(dy.shape, 3) / channels;
  return multiplier > 1 ? reshape(dy, [...dy.shape.slice(0, 3), channels, multiplier]) : dy;
}

export function depthwiseFilterGradient(x: Value, dy: Value, window: Window, filterShape: readonly number[]): Value {
  const [channels, multiplier] = [dim(filterShape, 2), dim(filterShape, 3)];
  const padded = padInput(x, window);
  const parts = tapPositions(window).map((position) => {
    const seen = tap(padded, window, position);
    const product = mul(multiplier > 1 ? reshape(seen, [...seen.shape, 1]) : seen, byChannel(dy, channels));
    return reshape(reduce('ReduceSum', product, [0, 1, 2]), [1, channels, multiplier]);
  });
  return reshape(concat(parts, 0), filterShape);
}

export function depthwiseInputGradient(dy: Value, filter: Value, window: Window, inputShape: readonly number[]): Value {
  const [, height, width, channels] = inputShape as [number, number, number, number];
  const [top, left, bottom, right] = window.padding;
  const isOneEach = dim(filter.shape, 3) === 1;
  if (canTurn(window) && (!isStrided(window) || (isOneEach && fitsBlocks(channels, channels)))) {
    const convolve = (taps: Value, own: Window) =>
      isOneEach ? depthwiseConv2d(dy, taps, own) : planarConvolution(dy, transpose(taps, [2, 3, 0, 1]), own, channels);
    return turnedGradient(dy, filter, window, inputShape, convolve);
  }
  const pieces = tapPositions(window).map((position, k) => {
    const product = mul(byChannel(dy, channels), tapFilter(filter, k));
    const value = dim(filter.shape, 3) > 1 ? reduce('ReduceSum', product, 4) : product;
    return { value, start: tapStart(window, position) };
  });
  const padded = scatterAdd(pieces, window.stride, [top + height + bottom, left + width + right]);
  return withoutPadding(padded, window, [height, width]);
}
