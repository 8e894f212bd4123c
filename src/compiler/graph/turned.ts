/**
 * The gradient of a convolution's input as a convolution of dy with the filter turned around. With strides it is one for each residue of the
 * pixels' numbers: along an axis, of stride s and with p pixels before the first window, pixel i = s t + u is seen at the taps
 * k = r + s m, where r = (u + p) mod s, by the windows t + (u + p - r) / s - m:
 *
 *   dx[s t + u] = sum over m of dy[t + (u + p - r) / s - m] filter[r + s m]
 */
import { fitsBlocks, inBlocks } from './blocked.js';
import { interleave } from './interleave.js';
import { reverse, slice } from './layout.js';
import type { Value } from './value.js';
import { type Pair, tapPositions, type Window } from './window.js';

/** Wider outputs than this times the gradient's would cost more products than adding pieces up costs copies. */
const MAX_GROWTH = 1.3;
/** The same of convolutions on blocks of channels, for each row of a filter: they skip what is padding, and the more taps, the more copies. */
const MAX_BLOCKED_GROWTH = 0.6;

/** Fewer inputs of a filter than that are not worth a convolution on blocks, fewer inputs or outputs than that no other one. */
const FEWEST_INPUTS = 4;
const FEWEST_OUTPUTS = 8;

/** A convolution of dy. */
interface Turned {
  /** The taps that see its pixels, turned around: [rows, columns, ...]; none if no tap does. */
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
  const turned = tapPositions({ kernel: window.stride } as Window).map((start) =>
    turnedPart(filter, window, [height, width], start),
  );
  const parts = turned.map(({ filter: taps, window: own }) =>
    taps ? convolve(taps, own) : dy.graph.splat(0, [batch, ...own.out, channels], dy.dtype),
  );
  const { out } = (turned[0] as Turned).window;
  const whole = interleave(parts, window.stride, [out[0] * window.stride[0], out[1] * window.stride[1]]);
  return slice(whole, [0, 0, 0, 0], inputShape);
}

/**
 * Whether that is faster than adding up what each tap gives.
 *
 * @param filter [rows, columns, inputs, outputs]
 * @param pixels of an image of dy, but for those that are known to be zero.
 */
export function isTurnedFaster(filter: Value, window: Window, [height, width]: Pair, pixels: number): boolean {
  const [rows, columns, inputs, outputs] = filter.shape as [number, number, number, number];
  if (inputs < FEWEST_INPUTS || outputs < FEWEST_OUTPUTS || rows * columns === 1 || !canTurn(window)) return false;
  const [vertical, horizontal] = window.stride;
  const growth = (Math.ceil(height / vertical) * Math.ceil(width / horizontal)) / pixels;
  if (growth <= MAX_GROWTH && inputs >= FEWEST_OUTPUTS && !isStrided(window)) return true;
  const filled = inBlocks(inputs);
  return fitsBlocks(outputs, filled) && growth * (filled / inputs) <= MAX_BLOCKED_GROWTH * Math.sqrt(rows * columns);
}

/** Whether the formula above is that of the window. */
export function canTurn(window: Window): boolean {
  return window.offset.every((o) => o === 0) && (!isStrided(window) || window.dilation.every((d) => d === 1));
}

export function isStrided({ stride }: Window): boolean {
  return stride.some((s) => s > 1);
}

function turnedPart(filter: Value, window: Window, size: Pair, start: Pair): Turned {
  const [vertical, horizontal] = ([0, 1] as const).map((axis) => turnedAxis(window, axis, size[axis], start[axis])) as [
    TurnedAxis,
    TurnedAxis,
  ];
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
  { kernel, stride, dilation, padding, offset, out }: Window,
  axis: 0 | 1,
  size: number,
  start: number,
): TurnedAxis {
  const step = stride[axis];
  const position = start + (padding[axis] as number) - offset[axis];
  const first = ((position % step) + step) % step;
  const taps = Math.max(0, Math.ceil((kernel[axis] - first) / step));
  const before = (taps - 1) * dilation[axis] - (position - first) / step;
  const pixels = Math.ceil(size / step);
  const behind = pixels - before + (taps - 1) * dilation[axis] - out[axis];
  return { first, taps, before, behind, out: pixels };
}
