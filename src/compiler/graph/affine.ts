/**
 * Scale and shift of channels, x * scale + shift, with what is added to it and a ReLU behind it, in one pass over memory: batch norm
 * makes several of them. ONNX Runtime does so where a convolution by blocks of channels (see `blocked`) has one channel a group and
 * looks at one pixel.
 */
import { channelBlock } from '../onnx/channel-block.js';
import { reshape } from './layout.js';
import { countUses, rebuild } from './rebuild.js';
import { dim, isOne, sameShape, sizeOf } from './shapes.js';
import type { Value } from './value.js';

/** Smaller tensors are not worth it. */
const SMALLEST = 1 << 14;

/** A tensor in the making: x * scale + shift + sum. */
interface Affine {
  x: Value;
  scale: Value;
  shift?: Value;
  sum?: Value;
}

export function fuseAffine(outputs: readonly Value[]): Value[] {
  const block = channelBlock();
  if (block === 1) return [...outputs];
  const uses = countUses(outputs);
  const made = new Map<Value, Affine>();
  const make = (affine: Affine, isRectified: boolean): Value => {
    const value = write(affine, isRectified);
    if (!isRectified) made.set(value, affine);
    return value;
  };
  return rebuild(outputs, new Map(), (value, original) => {
    if (value.shape.at(-1) !== block || sizeOf(value.shape) < SMALLEST) return value;
    const isUsedOnce = (i: number) => uses.get(original.inputs[i] as Value) === 1;
    if (value.op === 'Relu') {
      const affine = isUsedOnce(0) && made.get(value.inputs[0] as Value);
      return affine ? make(affine, true) : value;
    }
    if (value.op !== 'Add') return value;
    for (const [i, j] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const [a, b] = [value.inputs[i] as Value, value.inputs[j] as Value];
      const affine = isUsedOnce(i) ? (made.get(a) ?? scaled(a)) : undefined;
      if (!affine) continue;
      if (isVector(b, block) && !affine.shift) return make({ ...affine, shift: b }, false);
      if (sameShape(b.shape, value.shape) && !affine.sum) return make({ ...affine, sum: b }, false);
    }
    return value;
  });
}

function isVector(x: Value, channels: number): boolean {
  return sizeOf(x.shape) === channels && isOne(x.shape.slice(0, -1));
}

function scaled({ op, inputs, shape }: Value): Affine | undefined {
  if (op !== 'Mul') return undefined;
  const [a, b] = inputs as [Value, Value];
  const channels = dim(shape, -1);
  if (isVector(b, channels) && sameShape(a.shape, shape)) return { x: a, scale: b };
  return isVector(a, channels) && sameShape(b.shape, shape) ? { x: b, scale: a } : undefined;
}

function write({ x, scale, shift, sum }: Affine, isRectified: boolean): Value {
  const { graph, shape, dtype } = x;
  const channels = dim(shape, -1);
  const width = shape.length > 2 ? dim(shape, -2) : 1;
  const flat = [1, channels, sizeOf(shape) / channels / width, width];
  const inputs = [reshape(x, flat), reshape(scale, [channels, 1, 1, 1])];
  inputs.push(shift ? reshape(shift, [channels]) : graph.splat(0, [channels]));
  if (sum) inputs.push(reshape(sum, flat));
  const attrs = { group: channels, kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const own = isRectified ? { ...attrs, activation: 'Relu' } : attrs;
  return reshape(graph.node('BlockedConv', inputs, own, { shape: flat, dtype }), shape);
}
