/**
 * Sliding windows over tensors of shape [batch, height, width, channels], tfjs' layout and the compiler's.
 * A window is cut into taps: tap (i, j) is the strided slice that position (i, j) of all windows sees.
 */
import { concat, pad, reshape, slice, sliceAsItIs, transpose } from './layout.js';
import { dim } from './shapes.js';
import type { Attrs, Value } from './value.js';

export type Pair = readonly [number, number];

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Where tap (0, 0) of the first window lies in the padded input. */
  readonly offset: Pair;
  /** Windows per column and per row. */
  readonly out: Pair;
  /** Rows and columns added before and after the input: top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
}

export function windowAttrs(window: Window): Attrs {
  return { ...window };
}

export function windowFrom(attrs: Attrs): Window {
  return attrs as unknown as Window;
}

/** Positions (i, j) of a window in row-major order. */
export function tapPositions({ kernel }: Window): Pair[] {
  return residues(kernel);
}

/** Where the pixels of each residue of a stride begin, in row-major order. */
export function residues([rows, columns]: Pair): Pair[] {
  return Array.from({ length: rows * columns }, (_, k) => [Math.floor(k / columns), k % columns] as const);
}

/** Where in the padded input tap (i, j) begins. */
export function tapStart({ offset, dilation }: Window, [i, j]: Pair): Pair {
  return [offset[0] + i * dilation[0], offset[1] + j * dilation[1]];
}

/** Elements of the padded input that one window reaches over. */
export function windowLength({ kernel, dilation }: Window, axis: 0 | 1): number {
  return (kernel[axis] - 1) * dilation[axis] + 1;
}

export function isPadded({ padding }: Window): boolean {
  return padding.some((n) => n > 0);
}

/** Whether no element is seen by two windows. */
export function isDisjoint({ kernel, stride, dilation }: Window): boolean {
  return [0, 1].every(
    (axis) => (kernel[axis] === 1 || dilation[axis] === 1) && (stride[axis] as number) >= (kernel[axis] as number),
  );
}

/** Every `stride`-th window from window (i, j) on: what a pooling above this window sees at its tap. */
export function subWindow(window: Window, start: Pair, stride: Pair, out: Pair): Window {
  const offset: Pair = [window.offset[0] + start[0] * window.stride[0], window.offset[1] + start[1] * window.stride[1]];
  return { ...window, offset, stride: [window.stride[0] * stride[0], window.stride[1] * stride[1]], out };
}

export function padInput(x: Value, { padding: [top, left, bottom, right] }: Window, fill = 0): Value {
  return pad(x, [0, top, left, 0], [0, bottom, right, 0], fill);
}

/**
 * An image of this size out of what `padInput` would make of it, as gradients come. Where padding is negative, as tfjs has it in volumes with strides
 * larger than the kernel, pixels that were cut are zero.
 */
export function withoutPadding(padded: Value, { padding }: Pick<Window, 'padding'>, [height, width]: Pair): Value {
  const [top, left, bottom, right] = padding.map((n) => Math.max(0, -n)) as [number, number, number, number];
  const whole = pad(padded, [0, top, left, 0], [0, bottom, right, 0]);
  const begin = [0, Math.max(0, padding[0]), Math.max(0, padding[1]), 0];
  return slice(whole, begin, [dim(padded.shape, 0), height, width, dim(padded.shape, 3)]);
}

/** What tap (i, j) sees of an input that is padded already: shape [batch, out, out, channels]. */
export function tap(padded: Value, window: Window, position: Pair): Value {
  const [row, column] = tapStart(window, position);
  const [batch, , , channels] = padded.shape as [number, number, number, number];
  return slice(padded, [0, row, column, 0], [batch, ...window.out, channels], [1, ...window.stride, 1]);
}

/** Up to this many channels, windows are gathered plane by plane, in runs along a row instead of runs of channels. */
const MAX_PLANES = 4;

/**
 * The windows of `x` as a matrix [batch * out * out, kernel * kernel * channels] ("im2col"), columns in the order of
 * tfjs' filters. Slices are shared between all windows that see the same elements.
 */
export function windowMatrix(x: Value, window: Window): Value {
  const [batch, , , channels] = x.shape as [number, number, number, number];
  const count = batch * window.out[0] * window.out[1];
  const padded = padInput(x, window);
  const taps = tapPositions(window);
  if (channels > MAX_PLANES) {
    const columns = concat(
      taps.map((position) => tap(padded, window, position)),
      3,
    );
    return reshape(columns, [count, taps.length * channels]);
  }
  // Slices are taken of the planes, not of the pixels that they are made of. Columns are cut first: all rows of a filter share those.
  const planes = transpose(padded, [3, 0, 1, 2]);
  const height = dim(padded.shape, 1);
  const rows = taps.map((position) => {
    const [row, column] = tapStart(window, position);
    const [down, right] = window.stride;
    const columns = sliceAsItIs(planes, [0, 0, 0, column], [channels, batch, height, window.out[1]], [1, 1, 1, right]);
    const piece = sliceAsItIs(columns, [0, 0, row, 0], [channels, batch, ...window.out], [1, 1, down, 1]);
    return reshape(piece, [channels, count]);
  });
  return transpose(concat(rows, 0), [1, 0]);
}
