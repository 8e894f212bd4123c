/**
 * Convolutions on blocks of channels: [batch, channels / block, height, width, block]. ONNX Runtime has direct convolutions for
 * that layout, "NCHWc", about twice as fast as its products with gathered windows (Georganas et al., "Anatomy of
 * high-performance deep learning convolutions on SIMD architectures", 2018). It turns to them by itself only where filters are
 * constants. Values keep the shape [batch, channels, height, width] that the runtime sees; only the order of elements differs.
 */
import { channelBlock } from '../onnx/channel-block.js';
import { asTransposed, reshape, transpose } from './layout.js';
import { rebuild } from './rebuild.js';
import { dim, permute, sameShape } from './shapes.js';
import { topologicalOrder, type Value } from './value.js';

const TO_LAST = [0, 2, 3, 1];
const FROM_LAST = [0, 3, 1, 2];
/** Of taps [height, width, inputs, outputs]; and [height, width, outputs, inputs], as for the gradient of an input, or in a depthwise convolution. */
const FROM_TAPS = [3, 2, 0, 1];
const FROM_TURNED = [2, 3, 0, 1];

/** Replaces convolutions to whole blocks of channels, from whole blocks or from a few channels, and the changes of layout around them. */
export function blockConvolutions(outputs: readonly Value[]): Value[] {
  if (!topologicalOrder(outputs).some(isPlain)) return [...outputs];
  const block = channelBlock();
  if (block === 1) return [...outputs];
  return rebuild(outputs, new Map(), (value) => {
    if (isPlain(value) && fits(value)) return unblocked(blockedConvolution(value, block), block, false);
    const source = value.op === 'Transpose' ? (value.inputs[0] as Value) : undefined;
    if (source?.op !== 'UnblockChannels' || !sameShape(value.attrs.perm as number[], TO_LAST)) return value;
    return unblocked(source.inputs[0] as Value, block, true);
  });
}

/** A convolution of images without a bias of its own, and without groups, or with one for each channel. */
function isPlain(value: Value): boolean {
  const { op, inputs, shape } = value;
  return op === 'Conv' && inputs.length === 2 && shape.length === 4 && (groupsOf(value) === 1 || isDepthwise(value));
}

function groupsOf({ attrs }: Value): number {
  return (attrs.group as number | undefined) ?? 1;
}

/** Whether each channel of the image makes one of the result. */
function isDepthwise(conv: Value): boolean {
  const [x, filters] = conv.inputs as [Value, Value];
  return groupsOf(conv) === dim(x.shape, 1) && dim(filters.shape, 0) === dim(x.shape, 1);
}

function fits({ inputs: [x, filters] }: Value): boolean {
  return fitsBlocks(dim((x as Value).shape, 1), dim((filters as Value).shape, 0));
}

/** Whether there is a direct convolution from so many channels to so many. */
export function fitsBlocks(channels: number, outputs: number): boolean {
  return (fillsBlocks(channels) && fillsBlocks(outputs)) || isFew(channels, outputs);
}

/** Whether so many channels make whole blocks. */
export function fillsBlocks(channels: number): boolean {
  const block = channelBlock();
  return block > 1 && channels % block === 0;
}

/** The channels of the blocks that hold so many. */
export function inBlocks(channels: number): number {
  const block = channelBlock();
  return Math.ceil(channels / block) * block;
}

/** Whether there is a direct convolution from so few channels, which make no block, to whole blocks of them. */
export function isFew(channels: number, outputs: number): boolean {
  return channels < channelBlock() && fillsBlocks(outputs);
}

function blockedConvolution(conv: Value, block: number): Value {
  const [x, filters] = conv.inputs as [Value, Value];
  const { attrs, shape, dtype } = conv;
  // A few channels stay as they are.
  const images = dim(x.shape, 1) < block ? x : blocked(x, block);
  return conv.graph.node('BlockedConv', [images, blockedFilters(filters, block)], attrs, { shape, dtype });
}

/** x [batch, channels, height, width] by blocks. Channels that lie last already, and make one block, stay where they are. */
export function blocked(x: Value, block: number): Value {
  const transposed = asTransposed(x);
  const isLast = transposed !== undefined && sameShape(transposed.perm, FROM_LAST);
  const source = isLast ? transposed.inner : x;
  if (isLast && dim(x.shape, 1) === block) return reshape(source, x.shape);
  // What an earlier convolution has made by blocks goes on so.
  if (source.op === 'UnblockChannels') return source.inputs[0] as Value;
  // An image of one pixel is the same by blocks.
  if (dim(x.shape, 2) * dim(x.shape, 3) === 1) return reshape(source, x.shape);
  const attrs = { channels_last: Number(isLast) };
  return x.graph.node('BlockChannels', [source], attrs, { shape: x.shape, dtype: x.dtype });
}

/** The value x [batch, channels, height, width] in its plain order, or with its channels last: [batch, height, width, channels]. */
export function unblocked(x: Value, block: number, last: boolean): Value {
  const shape = last ? permute(x.shape, TO_LAST) : x.shape;
  const channels = dim(x.shape, 1);
  if (last && channels === block) return reshape(x, shape);
  return x.graph.node('UnblockChannels', [x], { channels, channels_last: Number(last) }, { shape, dtype: x.dtype });
}

/**
 * Filters [outputs, inputs, height, width] as [outputs / block, inputs / block, height, width, block of inputs, block of outputs]. Fewer
 * inputs than a block are not cut: [outputs / block, inputs, height, width, block of outputs].
 */
function blockedFilters(filters: Value, block: number): Value {
  const isSingleTap = dim(filters.shape, 2) * dim(filters.shape, 3) === 1;
  const { inner, perm } = asTransposed(filters) ?? { inner: filters, perm: isSingleTap ? FROM_TURNED : [0, 1, 2, 3] };
  if (sameShape(perm, FROM_TAPS) || sameShape(perm, FROM_TURNED)) return blockedTaps(inner, perm, filters.shape, block);
  const [outputs, inputs] = perm as [number, number];
  const cut = dim(filters.shape, 1) < block ? [outputs] : [inputs, outputs];
  const parts = inner.shape.flatMap((n, axis) => (cut.includes(axis) ? [n / block, block] : [n]));
  // Where an axis is once others before it are cut in two.
  const moved = (axis: number): number => axis + cut.filter((other) => other < axis).length;
  const order = [...perm.map(moved), ...cut.map((axis) => moved(axis) + 1)];
  return reshape(transpose(reshape(inner, parts), order), filters.shape);
}

/**
 * The same of the taps that they are a transpose of: a change of layout puts a block of outputs last, then whole blocks are transposed. A single transpose
 * would move runs of a block or less, which ONNX Runtime is slow at: 3 x 3 filters of 128 by 128 channels took 300 to 450 microseconds, turned around 480 to
 * 720, and take 130 (Zen 4).
 */
function blockedTaps(taps: Value, perm: readonly number[], shape: readonly number[], block: number): Value {
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  const positions = height * width;
  // A tap is an image, whose pixels are the inputs, with a channel for each output.
  const images = sameShape(perm, FROM_TURNED)
    ? reshape(taps, [positions, outputs, inputs, 1])
    : transpose(reshape(taps, [positions, inputs, 1, outputs]), FROM_LAST);
  const run = inputs < block ? block : block * block;
  const parts = reshape(blocked(images, block), [positions, (outputs * inputs) / run, run]);
  return reshape(transpose(parts, [1, 0, 2]), shape);
}
