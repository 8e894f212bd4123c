/**
 * The gradient of a filter as a convolution on blocks (see `blocked`), in which images take the place of channels:
 *
 *   dW[ky, kx, c, o] = sum over n, i, j of x[n, i sh + ky dh, j sw + kx, c] dy[n, i, j, o]
 *
 * is a convolution of one image whose channels are the n, whose rows are the rows of x, and whose columns are pairs (column of x, channel
 * c). dy is its filter: as large as an image of dy, and dilated, by sw times the channels of x along columns, so that a step of j is sw
 * columns of x. Its output has a row for each ky and a column for each (kx, c): where that begins, the window of all i and j lies.
 * Each element of dy is used for several columns while it is in a register, and nothing is gathered for each tap: products of taps take
 * 1.4 to 1.8 times as long (64 and 32 images of 28 x 28 x 16, 14 x 14 x 32).
 */
import { channelBlock } from '../onnx/channel-block.js';
import { reshape, slice, transpose } from './layout.js';
import { dim, sizeOf } from './shapes.js';
import type { Value } from './value.js';
import { padInput, type Window, windowLength } from './window.js';

/** Smaller gradients of outputs are not worth it. */
const SMALLEST = 1 << 14;
/** Elements that ONNX Runtime adds up one by one, for each block, at most: more is less exact. */
const LONGEST_SUM = 4096;
/** Bands of fewer rows repeat too many rows of x. */
const FEWEST_ROWS = 3;

/** undefined where it does not fit into blocks, or is not worth it. */
export function blockedFilterGradient(x: Value, dy: Value, window: Window): Value | undefined {
  const [images, height, width, outputs] = dy.shape as [number, number, number, number];
  const channels = dim(x.shape, 3);
  const [kernelHeight, kernelWidth] = window.kernel;
  const block = channelBlock();
  const isWorthIt = sizeOf(dy.shape) >= SMALLEST && kernelHeight * kernelWidth > 1 && window.dilation[1] === 1;
  if (block === 1 || outputs % block !== 0 || !isWorthIt) return undefined;
  const bands = bandsOf(images, height, width, block);
  if (!bands) return undefined;

  const rows = height / bands;
  const convolved = x.graph.node(
    'BlockedConv',
    [blockedBands(x, window, bands), blockedGradient(dy, bands, block)],
    {
      group: 1,
      kernel_shape: [rows, width],
      strides: [window.dilation[0], 1],
      dilations: [window.stride[0], window.stride[1] * channels],
      pads: [0, 0, 0, 0],
    },
    { shape: [1, outputs, kernelHeight, kernelWidth * channels], dtype: x.dtype },
  );
  const filterShape = [kernelHeight, kernelWidth, channels, outputs];
  if (outputs === block) return reshape(convolved, filterShape);
  const attrs = { channels: outputs, channels_last: 1 };
  const shape = [1, kernelHeight, kernelWidth * channels, outputs];
  return reshape(x.graph.node('UnblockChannels', [convolved], attrs, { shape, dtype: x.dtype }), filterShape);
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

/** What the bands see: [1, images * bands, rows, columns * channels], by blocks of images. */
function blockedBands(x: Value, window: Window, bands: number): Value {
  const seen = seenPart(x, window);
  const [images, height, width, channels] = seen.shape as [number, number, number, number];
  const { graph, dtype } = x;
  const step = (window.out[0] / bands) * window.stride[0];
  const rows = height - (bands - 1) * step;
  let cut = reshape(seen, [images, height, width * channels]);
  if (bands > 1) {
    const numbers = Int32Array.from({ length: bands * rows }, (_, i) => Math.floor(i / rows) * step + (i % rows));
    const indices = graph.constant(numbers, [bands, rows], 'int32');
    cut = graph.node('Gather', [cut, indices], { axis: 1 }, { shape: [images, bands, rows, width * channels], dtype });
  }
  const shape = [1, images * bands, rows, width * channels];
  return graph.node('BlockChannels', [reshape(cut, shape)], { channels_last: 0 }, { shape, dtype });
}

/** x with its padding, without the rows and columns that no window reaches. */
function seenPart(x: Value, window: Window): Value {
  const reach = ([0, 1] as const).map(
    (axis) => (window.out[axis] - 1) * window.stride[axis] + windowLength(window, axis),
  );
  const padded = padInput(x, window);
  return slice(padded, [0, ...window.offset, 0], [dim(x.shape, 0), ...reach, dim(x.shape, 3)]);
}

/** dy as filters [outputs, images * bands, rows, columns] of a convolution, by blocks of outputs and of images. */
function blockedGradient(dy: Value, bands: number, block: number): Value {
  const [images, height, width, outputs] = dy.shape as [number, number, number, number];
  const [blocks, rows] = [(images * bands) / block, height / bands];
  const cut = reshape(dy, [blocks, block, rows * width, outputs / block, block]);
  return reshape(transpose(cut, [3, 0, 2, 1, 4]), [outputs, blocks * block, rows, width]);
}
