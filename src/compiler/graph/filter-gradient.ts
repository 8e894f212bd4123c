/** Gradients of the filters of convolutions: filters and their gradients are [height, width, inputs, outputs], as in tfjs. */
import { fillsBlocks } from './blocked.js';
import { blockedFilterGradient } from './blocked-filter-gradient.js';
import { add } from './elementwise.js';
import { type GradientPart, partsOf, pixelRows, pixelsOf } from './gradient-parts.js';
import { concat, reshape, transpose } from './layout.js';
import { gemm } from './linear.js';
import { rebuild } from './rebuild.js';
import { dim } from './shapes.js';
import { FEWEST_SHARING } from './tap-products.js';
import type { Value } from './value.js';
import { padInput, tap, tapPositions, type Window, windowAttrs, windowFrom, windowMatrix } from './window.js';

/** Fewer channels of an image than this make products too narrow to be done tap by tap. */
const NARROW = 8;
/** Channels of a row of such a filter, of all its columns together, from which on a convolution on blocks is faster than gathered windows. */
const FEWEST_SEEN = 12;
/** Pixels of a gradient for each one in a part, at most, where the whole is computed with. */
const MOST_ZEROS = 1.1;

/**
 * The gradient [height, width, inputs, outputs] of a filter, of images x [batch, height, width, inputs] and the gradient dy of the output,
 * [batch, ...window.out, outputs]. Symbolic where the best way depends on the number of rows, which a shard has fewer of.
 */
export function conv2dFilterGradient(x: Value, dy: Value, window: Window, filterShape: readonly number[]): Value {
  const parts = partsOf(dy, window);
  if (parts.length === 0) return x.graph.splat(0, filterShape, x.dtype);
  const isWhole = parts[0]?.dy === dy;
  if (isNarrow(x)) {
    const seen = window.kernel[1] * dim(x.shape, 3);
    if (!isWhole || !fillsBlocks(dim(dy.shape, 3)) || seen < FEWEST_SEEN) return byWindows(x, parts, filterShape);
  } else if (!isWhole && !isBetterWhole(parts, window, dim(dy.shape, 3))) {
    return byTaps(x, parts, filterShape);
  }
  return x.graph.node('FilterGradient', [x, dy], windowAttrs(window), { shape: filterShape, dtype: x.dtype });
}

function isNarrow(x: Value): boolean {
  return dim(x.shape, 3) < NARROW;
}

/** Whether a gradient in parts had better be put together: for a convolution on blocks, if few of its pixels are in no part. */
function isBetterWhole(parts: readonly GradientPart[], { out }: Window, outputs: number): boolean {
  return fillsBlocks(outputs) && out[0] * out[1] <= MOST_ZEROS * pixelsOf(parts);
}

/** Writes the symbolic ones out. */
export function lowerFilterGradients(outputs: readonly Value[]): Value[] {
  return rebuild(outputs, new Map(), (value) => {
    if (value.op !== 'FilterGradient') return value;
    const [x, dy] = value.inputs as [Value, Value];
    const window = windowFrom(value.attrs);
    const otherwise = isNarrow(x) ? byWindows : byTaps;
    return blockedFilterGradient(x, dy, window) ?? otherwise(x, [{ dy, window }], value.shape);
  });
}

/** One product with gathered windows, which the forward pass uses, too. */
function byWindows(x: Value, parts: readonly GradientPart[], filterShape: readonly number[]): Value {
  const products = parts.map((part) => {
    const [windows, rows] = [windowMatrix(x, part.window), pixelRows(part.dy)];
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
function byTaps(x: Value, parts: readonly GradientPart[], filterShape: readonly number[]): Value {
  const { window } = parts[0] as GradientPart;
  const padded = padInput(x, window);
  const taps = tapPositions(window);
  const isShared = taps.length >= FEWEST_SHARING;
  const products = taps.map((position) =>
    parts
      .map(({ dy, window: own }) => {
        const [seen, rows] = [pixelRows(tap(padded, own, position)), pixelRows(dy)];
        // Shared, the gradient is the left side of all taps. Else Gemm transposes the left side of each: the narrower one.
        const swap = isShared || dim(rows.shape, 1) < dim(seen.shape, 1);
        return swap ? transpose(gemm(rows, seen, true, false), [1, 0]) : gemm(seen, rows, true, false);
      })
      .reduce(add),
  );
  return reshape(concat(products, 0), filterShape);
}
