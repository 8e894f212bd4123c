/** Operators along axes. Those over the rows leave each shard with a part. */
import type { Reduction } from '../../../common/program.js';
import { div, sub, unary } from '../../graph/elementwise.js';
import { reduce as reduceAxes } from '../../graph/reduction.js';
import type { Value } from '../../graph/value.js';
import { NotPartitionable, type Pair } from '../pairs.js';
import { isPartOf, isSharded, type Placed } from '../placement.js';
import { onWhole, ownRows, type PartitionRule } from './rule.js';

const reduce =
  (reduction: Reduction): PartitionRule =>
  (pair, inputs, program) => {
    const [x] = inputs as [Placed];
    const axes = pair.value.attrs.axes as readonly number[];
    if (isSharded(x) && axes.includes(x.distribution.axis))
      return program.partial(program.emit(pair, [x.value]), reduction);
    if (isSharded(x)) return ownRows(pair, inputs, program, (axis) => axis - axes.filter((a) => a < axis).length);
    if (isPartOf(x, reduction)) return program.partial(program.emit(pair, [x.value]), reduction);
    return onWhole(pair, inputs, program);
  };

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
