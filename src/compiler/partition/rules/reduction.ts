/** Operators along axes. Those over the rows leave each shard with a part. */
import type { Reduction } from '../../../common/program.js';
import { div, mul, sub, unary } from '../../graph/elementwise.js';
import { reshape } from '../../graph/layout.js';
import { reduce as reduceAxes } from '../../graph/reduction.js';
import { padRank, reducedShape, sameShape } from '../../graph/shapes.js';
import type { Value } from '../../graph/value.js';
import { NotPartitionable, type Pair } from '../pairs.js';
import { isPartOf, isSharded, type Placed, type Sharded } from '../placement.js';
import type { ShardProgram } from '../shard-program.js';
import { onWhole, ownRows, type PartitionRule } from './rule.js';

const reduce =
  (reduction: Reduction): PartitionRule =>
  (pair, inputs, program) => {
    const [x] = inputs as [Placed];
    const axes = pair.value.attrs.axes as readonly number[];
    if (isSharded(x) && axes.includes(x.distribution.axis)) return overRows(pair, x, reduction, program);
    if (isSharded(x)) return ownRows(pair, inputs, program, (axis) => axis - axes.filter((a) => a < axis).length);
    if (isPartOf(x, reduction)) return program.partial(program.emit(pair, [x.value]), reduction);
    return onWhole(pair, inputs, program);
  };

function overRows(pair: Pair, x: Sharded, reduction: Reduction, program: ShardProgram): Placed {
  const factored = reduction === 'sum' ? sumWithoutFactors(pair, pair.inputs[0] as Pair, program) : undefined;
  return factored ?? program.partial(program.emit(pair, [x.value]), reduction);
}

/**
 * The sum over rows of a * r as r times the sum of a, where r is the same for all rows: the sum of a can then be exchanged
 * before r is known, and what depends on both needs no meeting of its own. In batch norm's gradient that saves one of two.
 */
function sumWithoutFactors(pair: Pair, product: Pair, program: ShardProgram): Placed | undefined {
  if (product.value.op !== 'Mul') return undefined;
  const [a, b] = product.inputs as [Pair, Pair];
  return sumWithoutFactor(pair, product, a, b, program) ?? sumWithoutFactor(pair, product, b, a, program);
}

function sumWithoutFactor(
  pair: Pair,
  product: Pair,
  summed: Pair,
  factor: Pair,
  program: ShardProgram,
): Placed | undefined {
  const [x, r] = [program.placedOf(summed), program.placedOf(factor)];
  if (!isSharded(x) || isSharded(r) || !sameShape(summed.value.shape, product.value.shape)) return undefined;
  const axes = pair.value.attrs.axes as readonly number[];
  const shape = padRank(factor.value.shape, product.value.shape.length);
  if (axes.some((axis) => shape[axis] !== 1)) return undefined;
  const known = r.whole();
  if (program.level(known) <= program.level(x.value)) return undefined;
  const outer = reshape(known, reducedShape(shape, axes, false));
  const sum = sumWithoutFactors(pair, summed, program) ?? program.partial(program.emit(pair, [x.value]), 'sum');
  return program.partial(mul(sum.value, outer), 'sum', () => mul(sum.whole(), outer));
}

/** Along the rows: shifted by the maximum of all shards, divided by the sum of all shards. */
const softmax: PartitionRule = (pair, inputs, program) => {
  const [x] = inputs as [Placed];
  const axis = pair.value.attrs.axis as number;
  if (!isSharded(x)) return onWhole(pair, inputs, program);
  if (x.distribution.axis !== axis) return ownRows(pair, inputs, program, (a) => a);
  const total = (op: 'ReduceMax' | 'ReduceSum', value: Value): Value =>
    program.allReduce(reduceAxes(op, value, axis, true), op === 'ReduceMax' ? 'max' : 'sum');
  const exponentials = unary('Exp', sub(x.value, total('ReduceMax', x.value)));
  return program.sharded(div(exponentials, total('ReduceSum', exponentials)), pair, x.distribution.outer);
};

/** An index along an axis, or running sums along it: possible along any axis but that of the rows. */
const along =
  (axisOf: (pair: Pair) => number, isDropped: boolean): PartitionRule =>
  (pair, inputs, program) => {
    const [x] = inputs as [Placed];
    if (!isSharded(x)) return onWhole(pair, inputs, program);
    const along = axisOf(pair);
    if (x.distribution.axis === along) {
      throw new NotPartitionable(`goes through the rows of a mini-batch in order (${pair.value.op})`, pair.value);
    }
    return ownRows(pair, inputs, program, (axis) => axis - Number(isDropped && along < axis));
  };

const indexAlong = along((pair) => pair.value.attrs.axis as number, true);

export const reduction: Readonly<Record<string, PartitionRule>> = {
  ArgMax: indexAlong,
  ArgMin: indexAlong,
  CumSum: along((pair) => (pair.inputs[1] as Pair).value.splat as number, false),
  ReduceMax: reduce('max'),
  ReduceMin: reduce('min'),
  ReduceProd: reduce('prod'),
  ReduceSum: reduce('sum'),
  Softmax: softmax,
};
