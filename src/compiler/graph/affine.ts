/**
 * Scale and shift of channels, x * scale + shift, with what is added to it and a ReLU behind it, in one pass over memory: batch norm
 * makes several of them. ONNX Runtime does so where a convolution by blocks of channels (see `blocked`) has one channel a group and
 * looks at one pixel.
 */
import { channelBlock } from '../onnx/channel-block.js';
import { reshape } from './layout.js';
import { countUses, rebuild } from './rebuild.js';
import { dim, isOne, sameShape, sizeOf } from './shapes.js';
import { isTwinColumns } from './twins.js';
import type { Value } from './value.js';

/** Smaller tensors are not worth it. */
const SMALLEST = 1 << 14;

/** A tensor in the making: x * scale + shift + sum. The shapes of x and sum are alike, and those of scale and shift. */
interface Affine {
  x: Value;
  scale: Value;
  shift?: Value;
  sum?: Value;
}

/** Replaces sums of scaled channels. */
export function fuseAffine(outputs: readonly Value[]): Value[] {
  const block = channelBlock();
  if (block === 1) return [...outputs];
  const uses = countUses(outputs);
  const made = new Map<Value, Affine>();
  const make = (affine: Affine): Value => {
    const value = convolutionOf(affine, false);
    made.set(value, affine);
    return value;
  };
  return rebuild(outputs, new Map(), (value, original) => {
    const { dtype, shape } = value;
    if (shape.at(-1) !== block || sizeOf(shape) < SMALLEST || dtype !== 'float32') return value;
    const isUsedOnce = (i: number) => uses.get(original.inputs[i] as Value) === 1;
    if (value.op === 'Relu') {
      const affine = isUsedOnce(0) && made.get(value.inputs[0] as Value);
      return affine ? convolutionOf(affine, true) : value;
    }
    if (value.op !== 'Add') return value;
    const [a, b] = value.inputs as [Value, Value];
    const affineOf = (x: Value) => made.get(x) ?? asProduct(x);
    return (
      (isUsedOnce(0) && withSummand(affineOf(a), b, make)) ||
      (isUsedOnce(1) && withSummand(affineOf(b), a, make)) ||
      value
    );
  });
}

/** With one more summand, if it has room for it. */
function withSummand(affine: Affine | undefined, summand: Value, make: (affine: Affine) => Value): Value | undefined {
  if (!affine) return undefined;
  const { shape } = affine.x;
  const isShift = isColumns(summand, shape) && sizeOf(summand.shape) === sizeOf(affine.scale.shape);
  if (isShift) return affine.shift ? undefined : make({ ...affine, shift: summand });
  return affine.sum || !sameShape(summand.shape, shape) ? undefined : make({ ...affine, sum: summand });
}

/** Whether x has a number for each channel of images [..., channels], or of their twin. */
function isColumns(x: Value, shape: readonly number[]): boolean {
  if (sizeOf(x.shape) === dim(shape, -1)) return isOne(x.shape.slice(0, -1));
  return isTwinColumns(x, shape);
}

function asProduct({ op, inputs, shape }: Value): Affine | undefined {
  if (op !== 'Mul') return undefined;
  const [a, b] = inputs as [Value, Value];
  if (isColumns(b, shape) && sameShape(a.shape, shape)) return { x: a, scale: b };
  return isColumns(a, shape) && sameShape(b.shape, shape) ? { x: b, scale: a } : undefined;
}

function convolutionOf({ x, scale, shift, sum }: Affine, isRectified: boolean): Value {
  const { graph, shape, dtype } = x;
  const channels = sizeOf(scale.shape);
  // All pixels in one row, of each image where its channels are several blocks.
  const batch = channels === dim(shape, -1) ? 1 : dim(shape, 0);
  const rows = [batch, channels, 1, sizeOf(shape) / batch / channels];
  const inputs = [reshape(x, rows), reshape(scale, [channels, 1, 1, 1])];
  inputs.push(shift ? reshape(shift, [channels]) : graph.splat(0, [channels]));
  if (sum) inputs.push(reshape(sum, rows));
  const attrs = { group: channels, kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const own = isRectified ? { ...attrs, activation: 'Relu' } : attrs;
  return reshape(graph.node('BlockedConv', inputs, own, { shape: rows, dtype }), shape);
}
