/**
 * Convolution and pooling over three axes, from those over two: a convolution is the sum of plane convolutions of the
 * slabs that each depth of the filter sees, and a pooling pools planes first, depths after.
 */
import { conv2d, conv2dInputGradient } from './convolution.js';
import { conv2dFilterGradient } from './filter-gradient.js';
import { scatterAdd, sumAll } from './interleave.js';
import { concat, pad, reshape, slice } from './layout.js';
import { avgPool, avgPoolGradient, maxPool, maxPoolGradient } from './pooling.js';
import { dim, sizeOf } from './shapes.js';
import type { Value } from './value.js';
import { tapStart, type Window, withoutPadding } from './window.js';

/** A window over [batch, depth, height, width, channels]. `depth` has its first axis over depths, its second is one wide. */
export interface VolumeWindow {
  depth: Window;
  plane: Window;
}

/** [batch, depth, height, width, channels] with every depth an image of its own. */
function asPlanes(x: Value): Value {
  const [batch, depth, ...image] = x.shape as [number, number, ...number[]];
  return reshape(x, [batch * depth, ...image]);
}

/** The slab of depths that depth `i` of the filter sees, as images. */
function slab(padded: Value, { depth }: VolumeWindow, i: number): Value {
  const [batch, , ...image] = padded.shape as [number, number, ...number[]];
  const begin = [0, tapStart(depth, [i, 0])[0], 0, 0, 0];
  return asPlanes(slice(padded, begin, [batch, depth.out[0], ...image], [1, depth.stride[0], 1, 1, 1]));
}

function padDepths(x: Value, { depth }: VolumeWindow): Value {
  const [front, , back] = depth.padding;
  return pad(x, [0, front, 0, 0, 0], [0, back, 0, 0, 0]);
}

function filterAt(filter: Value, i: number): Value {
  const plane = filter.shape.slice(1);
  return reshape(slice(filter, [i, 0, 0, 0, 0], [1, ...plane]), plane);
}

function depths({ depth }: VolumeWindow): number[] {
  return [...Array(depth.kernel[0]).keys()];
}

/** Filters are [depth, height, width, inputs, outputs]. */
export function conv3d(x: Value, filter: Value, window: VolumeWindow): Value {
  const padded = padDepths(x, window);
  const parts = depths(window).map((i) => conv2d(slab(padded, window, i), filterAt(filter, i), window.plane));
  return reshape(sumAll(parts), [dim(x.shape, 0), window.depth.out[0], ...window.plane.out, dim(filter.shape, 4)]);
}

export function conv3dFilterGradient(x: Value, dy: Value, window: VolumeWindow, filterShape: readonly number[]): Value {
  const padded = padDepths(x, window);
  const plane = filterShape.slice(1);
  const parts = depths(window).map((i) =>
    reshape(conv2dFilterGradient(slab(padded, window, i), asPlanes(dy), window.plane, plane), [1, ...plane]),
  );
  return concat(parts, 0);
}

export function conv3dInputGradient(
  dy: Value,
  filter: Value,
  window: VolumeWindow,
  inputShape: readonly number[],
): Value {
  const [batch, size, ...image] = inputShape as [number, number, ...number[]];
  const { depth, plane } = window;
  const pieces = depths(window).map((i) => {
    const images = conv2dInputGradient(asPlanes(dy), filterAt(filter, i), plane, [batch * depth.out[0], ...image]);
    return { value: reshape(images, [batch, depth.out[0], 1, sizeOf(image)]), start: tapStart(depth, [i, 0]) };
  });
  const [front, , back] = depth.padding;
  const padded = scatterAdd(pieces, depth.stride, [front + size + back, 1]);
  return reshape(withoutPadding(padded, depth, [size, 1]), inputShape);
}

type Pool = (x: Value, window: Window) => Value;
type PoolGradient = (dy: Value, x: Value, window: Window) => Value;

/** Planes pooled, with the pixels of a plane as one axis: what is left is to pool depths. */
function planesPooled(x: Value, { plane }: VolumeWindow, pool: Pool): Value {
  const [batch, depth] = x.shape as [number, number];
  return reshape(pool(asPlanes(x), plane), [batch, depth, plane.out[0] * plane.out[1], dim(x.shape, 4)]);
}

function pool3d(x: Value, window: VolumeWindow, pool: Pool): Value {
  const pooled = pool(planesPooled(x, window, pool), window.depth);
  return reshape(pooled, [dim(x.shape, 0), window.depth.out[0], ...window.plane.out, dim(x.shape, 4)]);
}

function pool3dGradient(dy: Value, x: Value, window: VolumeWindow, pool: Pool, gradient: PoolGradient): Value {
  const [batch, depth, channels] = [dim(x.shape, 0), dim(x.shape, 1), dim(x.shape, 4)];
  const { out } = window.plane;
  const flat = reshape(dy, [batch, window.depth.out[0], out[0] * out[1], channels]);
  const between = gradient(flat, planesPooled(x, window, pool), depthOnly(window.depth, out[0] * out[1]));
  const planes = reshape(between, [batch * depth, ...out, channels]);
  return reshape(gradient(planes, asPlanes(x), window.plane), x.shape);
}

/** The window over depths for images of `pixels` pixels in a row. */
function depthOnly(depth: Window, pixels: number): Window {
  return { ...depth, out: [depth.out[0], pixels] };
}

const pooling =
  (pool: Pool) =>
  (x: Value, window: VolumeWindow): Value =>
    pool3d(x, { ...window, depth: depthOnly(window.depth, window.plane.out[0] * window.plane.out[1]) }, pool);

export const maxPool3d = pooling(maxPool);
/** As everywhere, elements of the padding are not counted: the counts of a box are products of counts along its axes. */
export const avgPool3d = pooling(avgPool);

export function maxPool3dGradient(dy: Value, x: Value, window: VolumeWindow): Value {
  return pool3dGradient(dy, x, window, maxPool, maxPoolGradient);
}

export function avgPool3dGradient(dy: Value, x: Value, window: VolumeWindow): Value {
  return pool3dGradient(dy, x, window, avgPool, avgPoolGradient);
}
