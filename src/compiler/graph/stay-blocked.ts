/**
 * What lies between two convolutions on blocks of channels (see `blocked`) is done on blocks, too: nothing is put into another order
 * for it, and channels' numbers meet runs as long as an image. Images [batch, height, width, channels] then have a twin (see `twins`).
 */
import { channelBlock } from '../onnx/channel-block.js';
import { unblocked } from './blocked.js';
import { reshape } from './layout.js';
import { rebuild } from './rebuild.js';
import { dim, isOne, sameShape, sizeOf } from './shapes.js';
import { sumOfPieces } from './sums.js';
import { twinColumns, twinShape } from './twins.js';
import { topologicalOrder, type Value } from './value.js';

const ELEMENTWISE = new Set(
  'Abs Add Div Elu Exp HardSigmoid LeakyRelu Max Min Mul Neg Relu Sigmoid Sub Tanh'.split(' '),
);

/** Moves changes of layout behind what can be done before them, if that leaves fewer elements to be put into another order. */
export function stayBlocked(outputs: readonly Value[]): Value[] {
  const block = channelBlock();
  if (block === 1) return [...outputs];
  const stayed = withTwins(outputs, block);
  return reordered(stayed) < reordered(outputs) ? stayed : [...outputs];
}

/** Elements that change their order. */
function reordered(outputs: readonly Value[]): number {
  const changes = topologicalOrder(outputs).filter(({ op }) => op === 'BlockChannels' || op === 'UnblockChannels');
  return changes.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function withTwins(outputs: readonly Value[], block: number): Value[] {
  const twins = new Map<Value, Value>();
  const withTwin = (twin: Value, shape: readonly number[]): Value => {
    const [batch, height, width, channels] = shape as [number, number, number, number];
    const value = unblocked(reshape(twin, [batch, channels, height, width]), block, true);
    twins.set(value, twin);
    return value;
  };
  return rebuild(outputs, new Map(), (value) => {
    const { op, attrs, inputs, shape } = value;
    const twin = inputs[0] && twins.get(inputs[0]);
    if (op === 'UnblockChannels' && attrs.channels_last) {
      twins.set(value, reshape(inputs[0] as Value, twinShape(shape, block)));
    } else if (op === 'BlockChannels' && attrs.channels_last && twin) {
      return reshape(twin, shape);
    } else if (op === 'ReduceSum' && twin) {
      return sumOfTwin(value, twin) ?? value;
    } else if (ELEMENTWISE.has(op) && inputs.some((input) => twins.has(input) && sameShape(input.shape, shape))) {
      const operands = inputs.map((input) => operandOf(input, twins, shape, block));
      if (operands.every((operand) => operand !== undefined)) {
        const type = { shape: twinShape(shape, block), dtype: value.dtype };
        return withTwin(value.graph.node(op, operands as Value[], attrs, type), shape);
      }
    }
    return value;
  });
}

/** An operand of an operation on images of this shape, as twins meet it: numbers for all, for each channel, for each image and channel, or an image. */
function operandOf(
  x: Value,
  twins: ReadonlyMap<Value, Value>,
  shape: readonly number[],
  block: number,
): Value | undefined {
  const [batch, , , channels] = shape as [number, number, number, number];
  const columns = twinColumns(channels, block);
  const twin = sameShape(x.shape, shape) && twins.get(x);
  if (twin) return twin;
  if (isOne(x.shape)) return reshape(x, []);
  if (sizeOf(x.shape) === channels && dim(x.shape, -1) === channels) return reshape(x, columns);
  if (sameShape(x.shape, [batch, 1, 1, channels])) return reshape(x, [batch, ...columns]);
  if (!sameShape(x.shape, shape)) return undefined;
  const [, height, width] = shape as [number, number, number];
  const type = { shape: [batch, channels, height, width], dtype: x.dtype };
  return reshape(x.graph.node('BlockChannels', [x], { channels_last: 1 }, type), twinShape(shape, block));
}

/** The sum over pixels, and over images, by channels. */
function sumOfTwin(sum: Value, twin: Value): Value | undefined {
  const axes = String(sum.attrs.axes);
  if (axes !== '0,1,2' && axes !== '1,2') return undefined;
  const [batch, blocks, pixels, block] = twin.shape as [number, number, number, number];
  const ofImages = sumOfPieces(reshape(twin, [batch * blocks, pixels, block]));
  if (axes === '1,2') return reshape(ofImages, sum.shape);
  return reshape(sumOfPieces(reshape(ofImages, [1, batch, blocks * block])), sum.shape);
}
