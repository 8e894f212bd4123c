/**
 * x + offset with an offset for each column that is the same for all rows, kept apart for as long as possible: products with another
 * number for each column, and sums, take it along as an operation of few numbers, in place of a pass over x.
 */
import { add, mul } from './elementwise.js';
import { reshape } from './layout.js';
import { rebuild } from './rebuild.js';
import { reduce } from './reduction.js';
import { broadcast, padRank, reducedShape, sameShape, sizeOf } from './shapes.js';
import type { Value } from './value.js';

/** x + offset, of the shape of x, to which `offset` broadcasts. Symbolic until `absorbOffsets`. */
export function recenter(x: Value, offset: Value): Value {
  return x.graph.node('Recenter', [x, offset], {}, { shape: x.shape, dtype: x.dtype });
}

/** Takes offsets along where that is cheap, and adds them where it is not. */
export function absorbOffsets(outputs: readonly Value[]): Value[] {
  const moved = rebuild(outputs, new Map(), (value) => {
    const [a, b] = value.inputs as [Value, Value];
    if (value.op === 'Add' || value.op === 'Mul')
      return withOffset(value.op, a, b) ?? withOffset(value.op, b, a) ?? value;
    return (value.op === 'ReduceSum' && sumOfProducts(value)) || value;
  });
  return rebuild(moved, new Map(), (value) => {
    if (value.op !== 'Recenter') return value;
    const [x, offset] = value.inputs as [Value, Value];
    return add(x, offset);
  });
}

function withOffset(op: 'Add' | 'Mul', centered: Value, other: Value): Value | undefined {
  if (centered.op !== 'Recenter') return undefined;
  const [x, offset] = centered.inputs as [Value, Value];
  const isSmall = sizeOf(broadcast(offset.shape, other.shape)) === sizeOf(offset.shape);
  if (isSmall) return op === 'Add' ? add(x, add(offset, other)) : recenter(mul(x, other), mul(offset, other));
  const isAlike = sameShape(broadcast(x.shape, other.shape), x.shape);
  return op === 'Add' && isAlike ? recenter(add(x, other), offset) : undefined;
}

/** sum (x + offset) y = sum x y + offset sum y, where rows are summed over. */
function sumOfProducts(sum: Value): Value | undefined {
  const product = sum.inputs[0] as Value;
  const axes = sum.attrs.axes as number[];
  if (product.op !== 'Mul') return undefined;
  const [a, b] = product.inputs as [Value, Value];
  const [centered, y] = a.op === 'Recenter' ? [a, b] : [b, a];
  if (centered.op !== 'Recenter' || y.op === 'Recenter') return undefined;
  const [x, offset] = centered.inputs as [Value, Value];
  const wide = padRank(offset.shape, x.shape.length);
  if (!sameShape(y.shape, x.shape) || axes.some((axis) => wide[axis] !== 1)) return undefined;
  const own = reshape(offset, reducedShape(wide, axes, false));
  const total = add(reduce('ReduceSum', mul(x, y), axes), mul(own, reduce('ReduceSum', y, axes)));
  return reshape(total, sum.shape);
}
