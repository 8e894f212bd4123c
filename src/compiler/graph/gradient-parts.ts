/** The gradient of a convolution's output, as both gradients of its inputs need it. */
import { asInterleaved } from './interleave.js';
import { reshape } from './layout.js';
import { dim } from './shapes.js';
import type { Value } from './value.js';
import { type Pair, subWindow, type Window } from './window.js';

/** A part of the gradient, with the windows it belongs to. */
export interface GradientPart {
  dy: Value;
  window: Window;
}

/** The gradient's parts, where it is interleaved; else it is the only one. */
export function partsOf(dy: Value, window: Window): GradientPart[] {
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

/** Pixels of an image that parts have together. */
export function pixelsOf(parts: readonly GradientPart[]): number {
  return parts.reduce((sum, { window: { out } }) => sum + out[0] * out[1], 0);
}

/** Images [batch, height, width, channels] as a matrix of their pixels. */
export function pixelRows(images: Value): Value {
  const [batch, height, width, channels] = images.shape as [number, number, number, number];
  return reshape(images, [batch * height * width, channels]);
}
