/**
 * Images [batch, height, width, channels] in ONNX Runtime's order of blocks of channels (see `blocked`), as a tensor on which
 * operations broadcast: their twin is [batch, channels / block, height * width, block].
 */
import { dim, sameShape } from './shapes.js';
import type { Value } from './value.js';

export function twinShape([batch, height, width, channels]: readonly number[], block: number): number[] {
  return [batch as number, (channels as number) / block, (height as number) * (width as number), block];
}

/** The shape of a number for each channel beside such a twin: [channels / block, 1, block]. */
export function twinColumns(channels: number, block: number): number[] {
  return [channels / block, 1, block];
}

/** Whether x has a number for each channel of a twin of this shape. */
export function isTwinColumns(x: Value, shape: readonly number[]): boolean {
  return shape.length === 4 && sameShape(x.shape, [dim(shape, 1), 1, dim(shape, 3)]);
}
