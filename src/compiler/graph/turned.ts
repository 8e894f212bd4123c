/**
 * The gradient of a convolution's input as a convolution of dy with the filter turned around. With strides it is one for each residue of the
 * pixels' numbers: along an axis, of stride s and with p pixels of padding before, pixel i = s t + u is seen at the taps k = r + s m, where
 * r = (u + p) mod s, by the windows t + q - m, where q = (u + p - r) / s:
 *
 *   dx[s t + u] = sum over m of dy[t + q - m] filter[r + s m]
 *
 * A convolution that begins at t + q - (M - 1), with the M taps in the opposite order. With a stride of 1, and a dilation d, m counts d pixels.
 */
import { fitsBlocks, inBlocks } from './blocked.js';
import { interleave } from './interleave.js';
import { reverse, slice } from './layout.js';
import type { Value } from './value.js';
import { type Pair, residues, type Window } from './window.js';

/** Pixels of the input for each pixel of dy beyond which more products cost more than adding up what each tap gives. */
const MAX_GROWTH = 1.3;
/** Channels of the input from which on they are filled up to a block. */
const FEWEST_FILLED = 4;
/** Channels of both sides from which on a convolution is worth it. */
const FEWEST_CHANNELS = 8;

/** The convolution of dy that gives the pixels of one residue. */
interface TurnedPart {
  /** The taps that see these pixels, in the opposite order: [rows, columns, ...]; none if no tap does. */
  filter: Value | undefined;
  window: Window;
}

/**
 * The gradient of an input by convolutions of dy, one for each residue of the strides.
 *
 * @param convolve dy with taps that are turned around, [rows, columns, ...].
 */
export function turnedGradient(
  dy: Value,
  filter: Value,
  window: Window,
  inputShape: readonly number[],
  convolve: (filter: Value, window: Window) => Value,
): Value {
  const [batch, height, width, channels] = inputShape as [number, number, number, number];
  const turned = residues(window.stride).map((start) => turnedPart(filter, window, [height, width], start));
  const parts = turned.map(({ filter: taps, window: own }) =>
    taps ? convolve(taps, own) : dy.graph.splat(0, [batch, ...own.out, channels], dy.dtype),
  );
  const { out } = (turned[0] as TurnedPart).window;
  const whole = interleave(parts, window.stride, [out[0] * window.stride[0], out[1] * window.stride[1]]);
  return slice(whole, [0, 0, 0, 0], inputShape);
}

/**
 * Whether that is faster than adding up what each tap gives. Also of a gradient in parts, which is put together for it.
 *
 * @param filter [rows, columns, inputs, outputs]
 * @param pixels of an image of dy, but for those that are known to be zero.
 */
export function isTurnedFaster(filter: Value, window: Window, [height, width]: Pair, pixels: number): boolean {
  const [rows, columns, inputs, outputs] = filter.shape as [number, number, number, number];
  if (rows * columns === 1 || outputs < FEWEST_CHANNELS || !canTurn(window)) return false;
  const [vertical, horizontal] = window.stride;
  const growth = (Math.ceil(height / vertical) * Math.ceil(width / horizontal)) / pixels;
  if (growth <= MAX_GROWTH && inputs >= FEWEST_CHANNELS && !isStrided(window)) return true;
  if (inputs < FEWEST_FILLED || !fitsBlocks(outputs, inBlocks(inputs))) return false;
  return (growth * inBlocks(inputs)) / inputs <= maxBlockedGrowth(outputs);
}

/**
 * The most pixels of the input for each of dy, times its channels once they fill blocks over those that there are, for direct convolutions on blocks, which
 * skip what is padding. What each tap gives would have to be written and added up, whatever the channels of dy, while a product takes longer the more of
 * these there are. Fitted on a Zen 4, with blocks of 8 and of 16, to 4 to 64 channels of the input, 16 to 128 of dy, filters of 3 and 5 rows, and 16 to 64
 * images of 5 to 28 rows.
 */
function maxBlockedGrowth(outputs: number): number {
  return 2 + 96 / Math.max(16, outputs);
}

/** Whether the formula above holds: not where windows begin elsewhere than at the first pixel, nor with strides and a dilation. */
export function canTurn(window: Window): boolean {
  return window.offset.every((o) => o === 0) && (!isStrided(window) || window.dilation.every((d) => d === 1));
}

export function isStrided({ stride }: Window): boolean {
  return stride.some((s) => s > 1);
}

function turnedPart(filter: Value, window: Window, size: Pair, start: Pair): TurnedPart {
  const axes = ([0, 1] as const).map((axis) => turnedAxis(window, axis, size[axis], start[axis]));
  const [vertical, horizontal] = axes as [TurnedAxis, TurnedAxis];
  const own: Window = {
    kernel: [vertical.taps, horizontal.taps],
    stride: [1, 1],
    dilation: window.dilation,
    out: [vertical.out, horizontal.out],
    padding: [
      Math.max(0, vertical.before),
      Math.max(0, horizontal.before),
      Math.max(0, vertical.behind),
      Math.max(0, horizontal.behind),
    ],
    offset: [Math.max(0, -vertical.before), Math.max(0, -horizontal.before)],
  };
  if (own.kernel.includes(0)) return { filter: undefined, window: own };
  const taps = slice(
    filter,
    [vertical.first, horizontal.first, 0, 0],
    [...own.kernel, ...filter.shape.slice(2)],
    [...window.stride, 1, 1],
  );
  return { filter: reverse(taps, [0, 1]), window: own };
}

/** Along one axis, for the pixels of one residue. */
interface TurnedAxis {
  /** The first tap that sees them, and how many do. */
  first: number;
  taps: number;
  /** Pixels of zeros before dy; less than 0: pixels of dy that are passed over. */
  before: number;
  /** Pixels of zeros behind it. */
  behind: number;
  out: number;
}

function turnedAxis(
  { kernel, stride, dilation, padding, out }: Window,
  axis: 0 | 1,
  size: number,
  start: number,
): TurnedAxis {
  const step = stride[axis];
  const position = start + (padding[axis] as number);
  const first = ((position % step) + step) % step; // padding may be negative
  const taps = Math.max(0, Math.ceil((kernel[axis] - first) / step));
  const before = (taps - 1) * dilation[axis] - (position - first) / step;
  const pixels = Math.ceil(size / step);
  const behind = pixels - before + (taps - 1) * dilation[axis] - out[axis];
  // Pixels behind the last window are seen by none.
  return { first, taps: -before < out[axis] ? taps : 0, before, behind, out: pixels };
}
