/**
 * Convolutions as matrix products over gathered windows. Filters are [height, width, inputs, outputs], as in tfjs, which
 * is a matrix [height * width * inputs, outputs] as it stands: no transposes anywhere, and the gathered windows serve
 * both the forward pass and the filter's gradient.
 */
import { add } from './elementwise.js';
import { asInterleaved, scatterAdd } from './interleave.js';
import { asTransposed, concat, reshape, slice, transpose } from './layout.js';
import { gemm } from './linear.js';
import { planarConv2d, turnedConvolution } from './planar.js';
import { dim, sameShape } from './shapes.js';
import { FEWEST_SHARING } from './tap-products.js';
import type { Attrs, Value } from './value.js';
import {
  type Pair,
  padInput,
  subWindow,
  tap,
  tapPositions,
  tapStart,
  type Window,
  windowAttrs,
  windowFrom,
  windowMatrix,
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
  if (!haveWindows && !isSmall) return planarConv2d(x, filter, window);
  return reshape(gemm(windowMatrix(x, window), filterMatrix(filter)), conv.shape);
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

function rowsOf(dy: Value): Value {
  const [batch, height, width, channels] = dy.shape as [number, number, number, number];
  return reshape(dy, [batch * height * width, channels]);
}

/** The gradient's parts, each with the windows it belongs to. */
function partsOf(dy: Value, window: Window): { dy: Value; window: Window }[] {
  const interleaved = asInterleaved(dy);
  if (!interleaved) return [{ dy, window }];
  const { parts, stride } = interleaved;
  const parted = parts.map((part, k) => {
    const start: Pair = [Math.floor(k / stride[1]), k % stride[1]];
    const out: Pair = [dim(part.shape, 1), dim(part.shape, 2)];
    return { dy: part, window: subWindow(window, start, stride, out) };
  });
  // Parts may reach past the last window where the stride does not divide the size: those need the whole.
  const reaches = ([0, 1] as const).some(
    (axis) => dim((parts[0] as Value).shape, axis + 1) * stride[axis] > window.out[axis],
  );
  return reaches ? [{ dy, window }] : parted.filter((part) => part.dy.splat !== 0);
}

/** Fewer channels than this make products too narrow to be done tap by tap. */
const NARROW = 8;

/** Gradient of the filter. */
export function conv2dFilterGradient(x: Value, dy: Value, window: Window, filterShape: readonly number[]): Value {
  const parts = partsOf(dy, window);
  if (dim(x.shape, 3) >= NARROW) return filterGradientByTaps(x, parts, filterShape);
  const products = parts.map((part) => {
    const [windows, rows] = [windowMatrix(x, part.window), rowsOf(part.dy)];
    // Gemm transposes its left side in memory, so that is the narrower one; the small result is transposed back.
    const swap = windows.op !== 'Transpose' && dim(rows.shape, 1) < dim(windows.shape, 1);
    return swap ? transpose(gemm(rows, windows, true, false), [1, 0]) : gemm(windows, rows, true, false);
  });
  return reshape(products.reduce(add), filterShape);
}

/**
 * Each tap of the filter has its product of what it saw with the gradient: nothing is gathered, and three times as fast as one product
 * with gathered windows where windows overlap. The forward pass is then ONNX' operator. Of several taps the gradient is the left side
 * of all (see tap-products).
 */
function filterGradientByTaps(x: Value, parts: ReturnType<typeof partsOf>, filterShape: readonly number[]): Value {
  const { window } = parts[0] as { window: Window };
  const padded = padInput(x, window);
  const taps = tapPositions(window);
  const isShared = taps.length >= FEWEST_SHARING;
  const products = taps.map((position) =>
    parts
      .map(({ dy, window: own }) => {
        const [seen, rows] = [rowsOf(tap(padded, own, position)), rowsOf(dy)];
        // Shared, the gradient is the left side of all taps. Else Gemm transposes the left side of each: the narrower one.
        const swap = isShared || dim(rows.shape, 1) < dim(seen.shape, 1);
        return swap ? transpose(gemm(rows, seen, true, false), [1, 0]) : gemm(seen, rows, true, false);
      })
      .reduce(add),
  );
  return reshape(concat(products, 0), filterShape);
}

/** Gradient of the input: each tap's gradient is added where the tap looked. */
export function conv2dInputGradient(dy: Value, filter: Value, window: Window, inputShape: readonly number[]): Value {
  const [batch, height, width, channels] = inputShape as [number, number, number, number];
  const [top, left, bottom, right] = window.padding;
  const parts = partsOf(dy, window);
  const turned = parts[0]?.dy === dy ? turnedConvolution(dy, filter, window, [height, width]) : undefined;
  if (turned) return conv2d(...turned);
  const pieces = parts.flatMap((part) => {
    const columns = gemm(rowsOf(part.dy), filterMatrix(filter), false, true);
    const taps = tapPositions(window);
    const windows = reshape(columns, [batch, ...part.window.out, taps.length * channels]);
    return taps.map((position, k) => ({
      value: slice(windows, [0, 0, 0, k * channels], [batch, ...part.window.out, channels]),
      start: tapStart(part.window, position),
    }));
  });
  const stride = (parts[0] as { window: Window }).window.stride;
  const padded = scatterAdd(pieces, stride, [top + height + bottom, left + width + right]);
  return slice(padded, [0, top, left, 0], inputShape);
}
