/** Pooling and its gradients, by taps. */

import { conv2d } from './convolution.js';
import { add, binary, mul, scalar, step, sub, unary } from './elementwise.js';
import { scatterAdd, sumAll } from './interleave.js';
import { cast } from './layout.js';
import { dim, isOne } from './shapes.js';
import type { Value } from './value.js';
import {
  isDisjoint,
  isPadded,
  padInput,
  subWindow,
  tap,
  tapPositions,
  tapStart,
  type Window,
  windowFrom,
  withoutPadding,
} from './window.js';

/** The lowest float32, as tfjs pads for maxima. */
const LOWEST = -3.4028234663852886e38;

/** x = relu(inner), or inner + a bias for each channel: order-preserving, so that a maximum may be taken before it. */
function peel(x: Value): { inner: Value; relu?: Value; bias?: Value } | undefined {
  if (x.op === 'Relu') return { inner: x.inputs[0] as Value, relu: x };
  if (x.op !== 'Add') return undefined;
  const [a, b] = x.inputs as [Value, Value];
  if (a.shape.length === 4 && isOne(b.shape.slice(0, -1))) return { inner: a, bias: b };
  if (b.shape.length === 4 && isOne(a.shape.slice(0, -1))) return { inner: b, bias: a };
  return undefined;
}

/** The largest element of each window. Bias and relu move above it: they act on fewer elements there, with equal result. */
export function maxPool(x: Value, window: Window): Value {
  const peeled = peel(x);
  if (peeled?.relu) return unary('Relu', maxPool(peeled.inner, window));
  if (peeled?.bias) return add(maxPool(peeled.inner, window), peeled.bias);
  return runningMaxima(x, window).at(-1)?.maximum as Value;
}

/** Each tap with the maximum of the taps up to it. */
function runningMaxima(x: Value, window: Window): { tap: Value; maximum: Value }[] {
  let maximum: Value | undefined;
  return tapsOf(x, window).map((value) => {
    maximum = maximum ? binary('Max', maximum, value) : value;
    return { tap: value, maximum };
  });
}

/** The taps of a pooling; those of a convolution below are convolutions of fewer windows, so it never exists as a whole. */
function tapsOf(x: Value, window: Window): Value[] {
  if (x.op === 'Conv2d' && isDisjoint(window) && !isPadded(window)) {
    const [input, filter] = x.inputs as [Value, Value];
    return tapPositions(window).map((position) => {
      const start = tapStart(window, position);
      return conv2d(input, filter, subWindow(windowFrom(x.attrs), start, window.stride, window.out));
    });
  }
  const padded = padInput(x, window, LOWEST);
  return tapPositions(window).map((position) => tap(padded, window, position));
}

/** Gradient of maxPool: all of dy goes to the first largest element of the window in row-major order, as in tfjs. */
export function maxPoolGradient(dy: Value, x: Value, window: Window): Value {
  const size = [dim(x.shape, 1), dim(x.shape, 2)] as const;
  let [inner, total] = [x, dy];
  let gate: Value | undefined;
  for (let peeled = peel(inner); peeled; peeled = peel(inner)) {
    // Where the pooled relu is zero, every element under the window is: relu's own gradient would zero what goes there.
    if (peeled.relu) {
      gate ??= peeled.relu;
      total = mul(total, step(maxPool(inner, window)));
    }
    inner = peeled.inner;
  }
  const pieces = selectFirst(total, runningMaxima(inner, window));
  const starts = tapPositions(window).map((position) => tapStart(window, position));
  const spread = pieces.map((value, k) => ({ value, start: starts[k] as readonly [number, number] }));
  return spreadOver(spread, window, size, isPadded(window) || !isDisjoint(window) ? {} : { gate, total });
}

/** Splits `total` over the taps, from the last to the first: a tap takes all of what is left where it beats all before. */
function selectFirst(total: Value, maxima: { tap: Value; maximum: Value }[]): Value[] {
  const pieces: Value[] = [];
  let left = total;
  for (let k = maxima.length - 1; k > 0; k--) {
    const wins = binary('Greater', (maxima[k] as { tap: Value }).tap, (maxima[k - 1] as { maximum: Value }).maximum);
    const piece = mul(left, cast(wins, 'float32'));
    pieces.unshift(piece);
    left = sub(left, piece);
  }
  return [left, ...pieces];
}

/** Mean of the elements of each window; elements of the padding are not counted. */
export function avgPool(x: Value, window: Window): Value {
  const padded = padInput(x, window);
  const sum = sumAll(tapPositions(window).map((position) => tap(padded, window, position)));
  return mul(sum, inverseCounts(x, window));
}

/** Gradient of avgPool: each element gets dy over the number of elements that its window really has. */
export function avgPoolGradient(dy: Value, x: Value, window: Window): Value {
  const value = mul(dy, inverseCounts(x, window));
  const pieces = tapPositions(window).map((position) => ({ value, start: tapStart(window, position) }));
  return spreadOver(pieces, window, [dim(x.shape, 1), dim(x.shape, 2)], {});
}

type Pieces = Parameters<typeof scatterAdd>[0];
type Marks = Parameters<typeof scatterAdd>[3];

function spreadOver(pieces: Pieces, window: Window, [height, width]: readonly [number, number], marks: Marks): Value {
  const [top, left, bottom, right] = window.padding;
  const whole = scatterAdd(pieces, window.stride, [top + height + bottom, left + width + right], marks);
  return withoutPadding(whole, window, [height, width]);
}

/** One over the number of real elements of each window: a scalar, or [1, out, out, 1] where padding makes them differ. */
function inverseCounts(x: Value, window: Window): Value {
  const [rows, columns] = ([0, 1] as const).map((axis) => realCounts(dim(x.shape, axis + 1), window, axis)) as [
    number[],
    number[],
  ];
  if (!isPadded(window)) return scalar(x, 1 / (window.kernel[0] * window.kernel[1]));
  const inverse = rows.flatMap((r) => columns.map((c) => 1 / (r * c)));
  return x.graph.constant(Float32Array.from(inverse), [1, ...window.out, 1], 'float32');
}

function realCounts(size: number, { kernel, stride, dilation, padding, out }: Window, axis: 0 | 1): number[] {
  return Array.from({ length: out[axis] }, (_, w) => {
    const positions = Array.from(
      { length: kernel[axis] },
      (_, i) => w * stride[axis] + i * dilation[axis] - padding[axis],
    );
    return positions.filter((p) => p >= 0 && p < size).length;
  });
}
