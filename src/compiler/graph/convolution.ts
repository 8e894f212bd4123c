/**
 * Convolutions as matrix products over gathered windows. Filters are [height, width, inputs, outputs], as in tfjs, which
 * is a matrix [height * width * inputs, outputs] as it stands: no transposes anywhere, and the gathered windows serve
 * both the forward pass and the filter's gradient.
 */
import { fitsBlocks, inBlocks, isFew } from './blocked.js';
import { partsOf, pixelRows, pixelsOf } from './gradient-parts.js';
import { scatterAdd } from './interleave.js';
import { asTransposed, pad, reshape, slice, transpose } from './layout.js';
import { gemm } from './linear.js';
import { planarConv2d } from './planar.js';
import { dim, sameShape } from './shapes.js';
import { isTurnedFaster, turnedGradient } from './turned.js';
import type { Attrs, Value } from './value.js';
import {
  tapPositions,
  tapStart,
  type Window,
  windowAttrs,
  windowFrom,
  windowMatrix,
  withoutPadding,
} from './window.js';

/** Symbolic until lowered, so that a pooling above can ask for a part of the windows only. */
export function conv2d(x: Value, filter: Value, window: Window): Value {
  const shape = [dim(x.shape, 0), ...window.out, dim(filter.shape, 3)];
  return x.graph.node('Conv2d', [x, filter], windowAttrs(window), { shape, dtype: x.dtype });
}

/** Whether the gathered windows of a convolution are among the nodes that the step needs. */
export function needsWindows(conv: Value, needed: ReadonlySet<Value>): boolean {
  const windows = windowMatrix(conv.inputs[0] as Value, windowFrom(conv.attrs));
  return needed.has(asTransposed(windows)?.inner ?? windows);
}

/** By gathered windows if they exist for the filter's gradient anyway or have few channels, else by ONNX' operator. */
export function lowerConv2d(conv: Value, haveWindows: boolean): Value {
  const [x, filter] = conv.inputs as [Value, Value];
  const window = windowFrom(conv.attrs);
  const isSmall = dim(filter.shape, 2) < 8 || window.kernel.every((k) => k === 1);
  if ((!haveWindows && !isSmall) || isDirect(filter, window)) return planarConv2d(x, filter, window);
  return reshape(gemm(windowMatrix(x, window), filterMatrix(filter)), conv.shape);
}

/** Whether ONNX Runtime's direct convolution from few channels is the fastest: windows that a pooling parts have strides. */
function isDirect(filter: Value, { kernel, stride }: Window): boolean {
  const isSingle = kernel.some((k) => k > 1) && stride.every((s) => s === 1);
  return isSingle && isFew(dim(filter.shape, 2), dim(filter.shape, 3));
}

/** The windows of `conv` as a slice of the convolution of the same inputs with the windows `wholeAttrs`, if those contain them. */
export function convolutionPart(conv: Value, wholeAttrs: Attrs): Value | undefined {
  const [part, whole] = [windowFrom(conv.attrs), windowFrom(wholeAttrs)];
  const alike = (['kernel', 'dilation', 'padding'] as const).every((key) => sameShape(part[key], whole[key]));
  const steps = [0, 1].map((axis) => (part.stride[axis] as number) / (whole.stride[axis] as number));
  const begin = [0, 1].map(
    (axis) => ((part.offset[axis] as number) - (whole.offset[axis] as number)) / (whole.stride[axis] as number),
  );
  const fits = begin.every(
    (b, axis) => b >= 0 && b + ((part.out[axis] as number) - 1) * (steps[axis] as number) < (whole.out[axis] as number),
  );
  if (!alike || !fits || ![...steps, ...begin].every(Number.isInteger) || steps.every((step) => step === 1))
    return undefined;
  const [x, filter] = conv.inputs as [Value, Value];
  return slice(conv2d(x, filter, whole), [0, ...begin, 0], conv.shape, [1, ...steps, 1]);
}

function filterMatrix(filter: Value): Value {
  const outputs = dim(filter.shape, 3);
  return reshape(filter, [filter.shape.slice(0, 3).reduce((n, d) => n * d, 1), outputs]);
}

/** Gradient of the input: each tap's gradient is added where the tap looked. */
export function conv2dInputGradient(dy: Value, filter: Value, window: Window, inputShape: readonly number[]): Value {
  const [batch, height, width, channels] = inputShape as [number, number, number, number];
  const [top, left, bottom, right] = window.padding;
  const parts = partsOf(dy, window);
  if (parts.length === 0) return dy.graph.splat(0, inputShape, dy.dtype);
  if (isTurnedFaster(filter, window, [height, width], pixelsOf(parts))) {
    return turnedGradient(dy, filter, window, inputShape, (taps, own) => convolveTurned(dy, taps, own));
  }
  const pieces = parts.flatMap((part) => {
    const columns = gemm(pixelRows(part.dy), filterMatrix(filter), false, true);
    const taps = tapPositions(window);
    const windows = reshape(columns, [batch, ...part.window.out, taps.length * channels]);
    return taps.map((position, k) => ({
      value: slice(windows, [0, 0, 0, k * channels], [batch, ...part.window.out, channels]),
      start: tapStart(part.window, position),
    }));
  });
  const stride = (parts[0] as { window: Window }).window.stride;
  const padded = scatterAdd(pieces, stride, [top + height + bottom, left + width + right]);
  return withoutPadding(padded, window, [height, width]);
}

/** dy with taps that are turned around, [rows, columns, inputs, outputs]. Inputs that make no whole blocks are filled up, which costs less than copies. */
function convolveTurned(dy: Value, taps: Value, window: Window): Value {
  const inputs = dim(taps.shape, 2);
  const isFilled = window.kernel.some((k) => k > 1) && fitsBlocks(dim(taps.shape, 3), inBlocks(inputs));
  const more = isFilled ? inBlocks(inputs) - inputs : 0;
  const convolved = conv2d(dy, transpose(pad(taps, [0, 0, 0, 0], [0, 0, more, 0]), [0, 1, 3, 2]), window);
  return slice(convolved, [0, 0, 0, 0], [dim(dy.shape, 0), ...window.out, inputs]);
}
