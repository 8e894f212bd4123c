/** Matrix products and convolutions. What contracts the rows leaves each shard with a part of a sum. */
import type { Value } from '../../graph/value.js';
import { NotPartitionable, type Pair } from '../pairs.js';
import { isPartial, isPartOf, isSharded, type Placed } from '../placement.js';
import type { ShardProgram } from '../shard-program.js';
import { commonOuter, onWhole, ownRows, type PartitionRule } from './rule.js';

/** Where an axis of an operand goes: to an axis of the result, or nowhere because it is summed over. */
type Route = (axis: number, operand: number) => number | 'contracted' | undefined;

function bilinear(pair: Pair, inputs: readonly Placed[], program: ShardProgram, route: Route): Placed {
  const [a, b] = inputs as [Placed, Placed];
  const contracted = inputs.map((x, i) => isSharded(x) && route(x.distribution.axis, i) === 'contracted');
  if (contracted[0] && contracted[1]) {
    // Blocks must lie alike on both sides.
    commonOuter({ ...pair, rowAxis: 0 }, inputs, () => 0);
    return program.partial(program.emit(pair, [a.value, b.value]), 'sum');
  }
  if (contracted[0] || contracted[1]) {
    throw new NotPartitionable(`combines different rows with each other (${pair.value.op})`, pair.value);
  }
  if (pair.rowAxis !== undefined) return ownRows(pair, inputs, program, (axis, i) => route(axis, i) as number);
  const operands = partOperands(a, b);
  if (operands && inputs.length === 2) return program.partial(program.emit(pair, operands), 'sum');
  return onWhole(pair, inputs, program);
}

function partOperands(a: Placed, b: Placed): Value[] | undefined {
  if (isPartOf(a, 'sum') && !isPartial(b)) return [a.value, b.value];
  return isPartOf(b, 'sum') && !isPartial(a) ? [a.value, b.value] : undefined;
}

/** The last two axes are the matrix, the ones before broadcast from the right. */
const matmul: PartitionRule = (pair, inputs, program) => {
  const { transA, transB } = pair.value.attrs;
  const rank = pair.value.shape.length;
  return bilinear(pair, inputs, program, (axis, operand) => {
    const own = (pair.inputs[operand] as Pair).value.shape.length;
    if (axis < own - 2) return axis + rank - own;
    const isLast = axis === own - 1;
    const isContracted = operand === 0 ? isLast !== Boolean(transA) : isLast === Boolean(transB);
    return isContracted ? 'contracted' : rank - 2 + operand;
  });
};

/** x [batch, channels, ...], filter [outputs, channels, ...]: both have the channels summed over. */
const conv: PartitionRule = (pair, inputs, program) => {
  const grouped = (pair.value.attrs.group ?? 1) !== 1;
  return bilinear(pair, inputs, program, (axis, operand) => {
    if (axis === 0) return grouped && operand === 1 ? undefined : operand;
    return axis === 1 && !grouped ? 'contracted' : undefined;
  });
};

/** x [batch, channels, ...], filter [channels, outputs, ...]. */
const convTranspose: PartitionRule = (pair, inputs, program) =>
  bilinear(pair, inputs, program, (axis, operand) => (axis === 0 && operand === 0 ? 0 : undefined));

/** x and the gradient, images both: their rows are summed over. */
const filterGradient: PartitionRule = (pair, inputs, program) =>
  bilinear(pair, inputs, program, (axis) => (axis === 0 ? 'contracted' : undefined));

export const linear: Readonly<Record<string, PartitionRule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  FilterGradient: filterGradient,
  FusedMatMul: matmul,
  Gemm: matmul,
  MatMul: matmul,
};
