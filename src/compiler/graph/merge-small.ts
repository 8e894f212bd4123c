/**
 * Fewer operations on few numbers. In a small network each takes about a microsecond, whatever it computes: what autodiff leaves
 * of a loss takes longer than the loss.
 */
import { reshape } from './layout.js';
import { countUses, rebuild } from './rebuild.js';
import { reducedShape, sameShape, sizeOf } from './shapes.js';
import type { Value } from './value.js';

type Uses = ReadonlyMap<Value, number>;

export function mergeSmall(outputs: readonly Value[]): Value[] {
  const uses = countUses(outputs);
  return rebuild(outputs, new Map(), (value, original) => {
    for (const rule of RULES) {
      const merged = rule(value, original, uses);
      if (merged) return merged;
    }
    return value;
  });
}

/** Each makes the value in another way, or does not know one. `original` is the value before anything under it was made anew. */
const RULES: readonly ((value: Value, original: Value, uses: Uses) => Value | undefined)[] = [
  clippedQuotient,
  sumOfSums,
  keptAxes,
  scaledNumber,
  reshapedNumber,
];

/**
 * a / clip(p) * (p == clip(p)) * p, which is a * (p == clip(p)) where no bound is 0: the gradient of log(clip(softmax)) behind
 * that of the softmax. Where p is not a number the result was none either; the softmax' gradient multiplies by p once more.
 */
function clippedQuotient(value: Value): Value | undefined {
  return anyOrder(value, 'Mul', (p, masked) =>
    anyOrder(masked, 'Mul', (quotient, mask) => {
      const [a, clipped] = quotient.inputs as [Value, Value];
      if (quotient.op !== 'Div' || !isWithin(mask, p, clipped) || !sameShape(a.shape, value.shape)) return undefined;
      const { graph, shape, dtype } = value;
      return graph.node('Mul', [a, mask], {}, { shape, dtype });
    }),
  );
}

/** Whether `mask` is 1 where p lies within the bounds of `clipped`, which are positive, and 0 elsewhere. */
function isWithin(mask: Value, p: Value, clipped: Value): boolean {
  const [x, low] = clipped.inputs;
  if (clipped.op !== 'Clip' || x !== p || !low || !((low.splat ?? 0) > 0)) return false;
  const equal = mask.inputs[0];
  if (mask.op !== 'Cast' || equal?.op !== 'Equal') return false;
  return equal.inputs.includes(p) && equal.inputs.includes(clipped);
}

/** A sum of sums that nobody else needs. */
function sumOfSums({ op, inputs, attrs, shape, dtype, graph }: Value, original: Value, uses: Uses): Value | undefined {
  const sum = inputs[0] as Value;
  if (op !== 'ReduceSum' || sum.op !== 'ReduceSum' || dtype !== 'float32') return undefined;
  if (sum.attrs.keepdims || attrs.keepdims || uses.get(original.inputs[0] as Value) !== 1) return undefined;
  const x = sum.inputs[0] as Value;
  const first = sum.attrs.axes as number[];
  const left = x.shape.map((_, axis) => axis).filter((axis) => !first.includes(axis));
  const second = (attrs.axes as number[]).map((axis) => left[axis] as number);
  const axes = [...first, ...second].sort((a, b) => a - b);
  return graph.node('ReduceSum', [x], { axes, keepdims: 0 }, { shape, dtype });
}

/** A reduction whose axes are put back. */
function keptAxes({ op, inputs, shape, dtype, graph }: Value, original: Value, uses: Uses): Value | undefined {
  const reduction = inputs[0] as Value;
  if (op !== 'Reshape' || !reduction.op.startsWith('Reduce') || uses.get(original.inputs[0] as Value) !== 1) {
    return undefined;
  }
  const x = reduction.inputs[0] as Value;
  const axes = reduction.attrs.axes as number[];
  if (reduction.attrs.keepdims || !sameShape(reducedShape(x.shape, axes, true), shape)) return undefined;
  return graph.node(reduction.op, [x], { axes, keepdims: 1 }, { shape, dtype });
}

/** c * -x of a single x is -c * x. */
function scaledNumber(value: Value): Value | undefined {
  if (sizeOf(value.shape) !== 1 || value.dtype !== 'float32') return undefined;
  return anyOrder(value, 'Mul', (x, factor) => {
    const { inner, sign } = signed(x);
    if (factor.splat === undefined || inner === x) return undefined;
    return reshape(times(inner, sign * factor.splat), value.shape);
  });
}

/** A number as one of another shape, with its sign. */
function signed(x: Value): { inner: Value; sign: number } {
  if (x.op !== 'Reshape' && x.op !== 'Neg') return { inner: x, sign: 1 };
  const { inner, sign } = signed(x.inputs[0] as Value);
  return { inner, sign: x.op === 'Neg' ? -sign : sign };
}

/** A product of numbers, or a view of a view, in the shape that is asked for at once. */
function reshapedNumber({ op, inputs, shape }: Value, original: Value, uses: Uses): Value | undefined {
  const x = inputs[0] as Value;
  if (op !== 'Reshape') return undefined;
  if (x.op === 'Reshape') return reshape(x, shape);
  if (sizeOf(shape) !== 1 || uses.get(original.inputs[0] as Value) !== 1) return undefined;
  return anyOrder(x, 'Mul', (inner, factor) => {
    const isBroadcast = factor.splat !== undefined && inner.shape.length <= shape.length;
    return isBroadcast ? times(inner, factor.splat as number, shape) : undefined;
  });
}

function times(x: Value, factor: number, shape = x.shape): Value {
  return x.graph.node('Mul', [x, x.graph.splat(factor, shape)], {}, { shape, dtype: x.dtype });
}

/** What `make` makes of the operands of `op`, in one order or the other. */
function anyOrder(value: Value, op: string, make: (a: Value, b: Value) => Value | undefined): Value | undefined {
  if (value.op !== op) return undefined;
  const [a, b] = value.inputs as [Value, Value];
  return make(a, b) ?? make(b, a);
}
