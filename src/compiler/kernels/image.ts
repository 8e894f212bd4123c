/** tfjs kernels that resize images of shape [batch, height, width, channels]. */
import { cast } from '../graph/layout.js';
import { type Interpolation, interpolate, interpolateGradient } from '../graph/resize.js';
import { dim } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { input, type KernelAttrs, type KernelInputs, type KernelRule, type KernelTable } from './rule.js';

type Method = 'nearest' | 'bilinear';

/** Where the elements of a resized axis come from, with tfjs' arithmetic. */
function resizing(method: Method, from: number, to: number, attrs: KernelAttrs): Interpolation {
  const aligned = attrs.alignCorners && to > 1;
  const ratio = aligned ? (from - 1) / (to - 1) : from / to;
  const positions = Array.from({ length: to }, (_, i) => {
    if (!attrs.halfPixelCenters) return i * ratio;
    return method === 'nearest' ? (i + 0.5) * ratio : (i + 0.5) * ratio - 0.5;
  });
  if (method === 'nearest') {
    const round = attrs.alignCorners ? Math.round : Math.floor;
    return nearest(positions.map((p) => Math.max(0, Math.min(from - 1, round(p)))));
  }
  const low = positions.map((p) => Math.max(0, Math.floor(p)));
  return {
    low,
    high: positions.map((p) => Math.max(0, Math.min(from - 1, Math.ceil(p)))),
    // Before the first centre there is nothing to mix with: tfjs' own fraction is negative there and weighs one element twice.
    fraction: positions.map((p, i) => Math.max(0, p - (low[i] as number))),
  };
}

function nearest(low: number[]): Interpolation {
  return { low, high: low, fraction: low.map(() => 0) };
}

const resize =
  (method: Method): KernelRule =>
  (inputs, attrs) => {
    const images = input(inputs, 'images');
    const [height, width] = attrs.size as [number, number];
    const x = method === 'bilinear' ? cast(images, 'float32') : images;
    const tall = interpolate(x, 1, resizing(method, dim(x.shape, 1), height, attrs));
    return interpolate(tall, 2, resizing(method, dim(x.shape, 2), width, attrs));
  };

const resizeGradient =
  (method: Method): KernelRule =>
  (inputs, attrs) => {
    const [dy, images] = [input(inputs, 'dy'), input(inputs, 'images')];
    const [height, width] = [dim(images.shape, 1), dim(images.shape, 2)];
    const wide = interpolateGradient(dy, 2, resizing(method, width, dim(dy.shape, 2), attrs), width);
    return interpolateGradient(wide, 1, resizing(method, height, dim(dy.shape, 1), attrs), height);
  };

/** The same crop of every image, as CenterCrop asks for: one box, known while tracing, within the image. */
function cropAndResize(inputs: KernelInputs, attrs: KernelAttrs): Value {
  const image = cast(input(inputs, 'image'), 'float32');
  const [top, left, bottom, right] = commonBox(input(inputs, 'boxes'), dim(image.shape, 0));
  const [height, width] = attrs.cropSize as [number, number];
  const tall = interpolate(image, 1, cropping(attrs.method, dim(image.shape, 1), height, top, bottom));
  return interpolate(tall, 2, cropping(attrs.method, dim(image.shape, 2), width, left, right));
}

function commonBox(boxes: Value, batch: number): [number, number, number, number] {
  const uniform = boxes.splat;
  const elements = uniform === undefined ? boxes.data : boxes.shape.flatMap(() => [uniform, uniform]);
  const box = Array.from({ length: 4 }, (_, i) => Number(elements?.[i]));
  const isShared = uniform !== undefined || elements?.every((v, i) => Number(v) === box[i % 4]);
  if (!elements || !isShared || boxes.shape[0] !== batch || box.some((v) => v < 0 || v > 1)) {
    throw new RangeError('cropAndResize is supported with one constant box, within the image, for all images only');
  }
  return box as [number, number, number, number];
}

function cropping(method: Method, from: number, to: number, begin: number, end: number): Interpolation {
  const last = from - 1;
  const step = to > 1 ? ((end - begin) * last) / (to - 1) : 0;
  const positions = Array.from({ length: to }, (_, i) =>
    to > 1 ? begin * last + i * step : ((begin + end) / 2) * last,
  );
  if (method === 'nearest') return nearest(positions.map(Math.round));
  const low = positions.map(Math.floor);
  return { low, high: positions.map(Math.ceil), fraction: positions.map((p, i) => p - (low[i] as number)) };
}

export const image: KernelTable = {
  CropAndResize: cropAndResize,
  ResizeBilinear: resize('bilinear'),
  ResizeBilinearGrad: resizeGradient('bilinear'),
  ResizeNearestNeighbor: resize('nearest'),
  ResizeNearestNeighborGrad: resizeGradient('nearest'),
};
