/**
 * The gradient of a filter as a convolution on blocks (see `blocked`), in which images take the place of channels:
 *
 *   dW[ky, kx, c, o] = sum over n, i, j of x[n, i sh + ky dh, j sw + kx, c] dy[n, i, j, o]
 *
 * is a convolution of one image whose channels are the n, whose rows are the rows of x, and whose columns are pairs (column of x, channel
 * c). dy is its filter: as large as an image of dy, and dilated, by sw times the channels of x along columns, so that a step of j is sw
 * columns of x. Its output has a row for each ky and a column for each (kx, c): where that begins, the window of all i and j lies.
 * Each element of dy is used for several columns while it is in a register, and nothing is gathered for each tap: products of taps take
 * 1.7 to 2.1 times as long (64 and 32 images of 28 x 28 x 16, 14 x 14 x 32).
 */
import { channelBlock } from '../onnx/channel-block.js';
import { blocked, fillsBlocks, unblocked } from './blocked.js';
import { pad, reshape, slice, transpose } from './layout.js';
import { dim, sizeOf } from './shapes.js';
import type { Value } from './value.js';
import { type Window, windowLength } from './window.js';

/** Smaller gradients of outputs are not worth it. */
const SMALLEST = 1 << 14;
/** Products that ONNX Runtime adds up one by one, before it goes on to the next block of images, at most: more is less exact. */
const LONGEST_SUM = 4096;
/** Bands of fewer rows repeat too many rows of x. */
const FEWEST_ROWS = 3;

/**
 * The gradient [height, width, inputs, outputs] of a filter, of images x [batch, height, width, inputs] and the gradient dy of the output,
 * [batch, ...window.out, outputs]; undefined where it does not fit into blocks, or is not worth it.
 */
export function blockedFilterGradient(x: Value, dy: Value, window: Window): Value | undefined {
  const [images, height, width, outputs] = dy.shape as [number, number, number, number];
  const channels = dim(x.shape, 3);
  const [kernelHeight, kernelWidth] = window.kernel;
  const block = channelBlock();
  const isWorthIt = sizeOf(dy.shape) >= SMALLEST && kernelHeight * kernelWidth > 1 && window.dilation[1] === 1;
  if (!fillsBlocks(outputs) || !isWorthIt) return undefined;
  const bands = bandsOf(images, height, width, block);
  if (!bands) return undefined;

  const convolved = x.graph.node(
    'BlockedConv',
    [blockedImages(x, window, bands, block), blockedGradient(dy, bands, block)],
    {
      group: 1,
      kernel_shape: [height / bands, width],
      strides: [window.dilation[0], 1],
      dilations: [window.stride[0], window.stride[1] * channels],
      pads: [0, 0, 0, 0],
    },
    { shape: [1, outputs, kernelHeight, kernelWidth * channels], dtype: x.dtype },
  );
  return reshape(unblocked(convolved, block, true), [kernelHeight, kernelWidth, channels, outputs]);
}

/**
 * Into how many bands of rows images are cut, each of which counts as an image: so that they make whole blocks, and sums are not too
 * long. undefined where there is no such number.
 */
function bandsOf(images: number, height: number, width: number, block: number): number | undefined {
  let longer: number | undefined;
  for (let bands = 1; height / bands >= Math.min(height, FEWEST_ROWS); bands++) {
    if (height % bands !== 0 || (images * bands) % block !== 0) continue;
    if ((height / bands) * width * block <= LONGEST_SUM) return bands;
    longer = bands;
  }
  return longer;
}

/** What the bands see of x, as one image [1, images * bands, rows, columns * channels] by blocks. */
function blockedImages(x: Value, window: Window, bands: number, block: number): Value {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  // Whole blocks of images are put together first: then what is cut lies in longer runs.
  const together = images % block === 0 ? block : 1;
  const rows = reshape(x, [images, height, width * channels]);
  const blocked = together > 1 ? blockImages(reshape(rows, [1, ...rows.shape])) : rows;
  const element = channels * together;
  const cut = cutBands(reshape(blocked, [images / together, height, width * element]), window, bands, element);
  const image = reshape(cut, [1, images * bands, dim(cut.shape, 2), dim(cut.shape, 3) / together]);
  return together > 1 ? image : blockImages(image);
}

/** @param x [1, images, rows, columns] */
function blockImages(x: Value): Value {
  return x.graph.node('BlockChannels', [x], { channels_last: 0 }, { shape: x.shape, dtype: x.dtype });
}

/**
 * The rows and columns that the windows of each band reach, padding included: [n, bands, rows, columns * element].
 *
 * @param x [n, height, width * element]
 */
function cutBands(x: Value, window: Window, bands: number, element: number): Value {
  const [top, left, bottom, right] = window.padding;
  const [height, width] = ([0, 1] as const).map(
    (axis) => (window.out[axis] - 1) * window.stride[axis] + windowLength(window, axis),
  ) as [number, number];
  const count = dim(x.shape, 0);
  const padded = pad(x, [0, top, left * element], [0, bottom, right * element], 0);
  const [firstRow, firstColumn] = window.offset;
  const seen = slice(padded, [0, firstRow, firstColumn * element], [count, height, width * element]);
  const step = (window.out[0] / bands) * window.stride[0];
  const rows = height - (bands - 1) * step;
  const shape = [count, bands, rows, width * element];
  if (bands === 1) return reshape(seen, shape);
  const { graph, dtype } = x;
  const numbers = Int32Array.from({ length: bands * rows }, (_, i) => Math.floor(i / rows) * step + (i % rows));
  return graph.node('Gather', [seen, graph.constant(numbers, [bands, rows], 'int32')], { axis: 1 }, { shape, dtype });
}

/** dy as filters [outputs, images * bands, rows, columns] of a convolution, by blocks of outputs and of images, in the order of `blockedImages`. */
function blockedGradient(dy: Value, bands: number, block: number): Value {
  const [images, height, width, outputs] = dy.shape as [number, number, number, number];
  const isWhole = images % block === 0;
  const blocks = isWhole ? images / block : (images * bands) / block;
  const shape = [outputs, images * bands, height / bands, width];
  if (outputs === block) return reshape(blockTogether(dy, blocks, block), shape);
  const pixels = sizeOf(dy.shape) / (blocks * block * outputs);
  if (isWhole) {
    // By blocks of outputs first: the gradient of the input shares that change of layout.
    const parts = blockTogether(blocked(transpose(dy, [0, 3, 1, 2]), block), blocks, block);
    const byBlocks = reshape(parts, [blocks, outputs / block, pixels * block ** 2]);
    return reshape(transpose(byBlocks, [1, 0, 2]), shape);
  }
  const byPixels = reshape(blockTogether(dy, blocks, block), [blocks, pixels, outputs / block, block ** 2]);
  return reshape(transpose(byPixels, [2, 0, 1, 3]), shape);
}

/**
 * Every `block` images with their elements side by side, a block of outputs each: by blocks of the channels of pixels, which are the pixels of
 * an image here. Faster than Transpose, which is left with long runs.
 */
function blockTogether(images: Value, blocks: number, block: number): Value {
  const { graph, shape, dtype } = images;
  const size = sizeOf(shape) / (blocks * block);
  const source = reshape(images, [blocks, block, 1, size]);
  return graph.node('BlockChannels', [source], { channels_last: 1 }, { shape: [blocks, size, block, 1], dtype });
}
