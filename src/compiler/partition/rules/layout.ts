/** Operators that move, repeat, cut and join elements, and those that have no inputs. */
import type { Value } from '../../graph/value.js';
import { NotPartitionable, type Pair } from '../pairs.js';
import { isPartial, isSharded, type Placed, type Sharded } from '../placement.js';
import type { ShardProgram } from '../shard-program.js';
import { elementwise } from './elementwise.js';
import { commonOuter, onWhole, ownRows, type PartitionRule } from './rule.js';

/** What moves elements of a part as they are gives a part. */
function moved(pair: Pair, [x, ...rest]: readonly Placed[], program: ShardProgram, shrinks = false): Placed {
  const operands = rest.map((input) => input.whole());
  if (!x || !isPartial(x)) return onWhole(pair, x ? [x, ...rest] : rest, program);
  const { reduction } = x.distribution;
  const whole = (): Value => program.emit(pair, [x.whole(), ...operands]);
  return program.partial(program.emit(pair, [x.value, ...operands]), reduction, shrinks ? undefined : whole);
}

const input: PartitionRule = (pair, _, program) => {
  const value = program.emit(pair, []);
  return pair.rowAxis === undefined ? program.replicated(value) : program.sharded(value, pair, 1);
};

const constant: PartitionRule = (pair, _, program) => {
  const { data, splat, dtype } = pair.value;
  const shape = program.shapeOf(pair);
  if (splat !== undefined) {
    const value = program.graph.splat(splat, shape, dtype);
    return pair.rowAxis === undefined ? program.replicated(value) : program.sharded(value, pair, undefined);
  }
  if (pair.rowAxis !== undefined)
    throw new NotPartitionable('has a constant for each row of the mini-batch', pair.value);
  return program.replicated(program.graph.constant(data as NonNullable<typeof data>, shape, dtype));
};

/** Elements keep their order: the blocks before the rows may be regrouped, the row axis itself must not be torn. */
const reshape: PartitionRule = (pair, inputs, program) => {
  const [x] = inputs as [Placed];
  if (!isSharded(x)) return moved(pair, inputs, program);
  const source = pair.inputs[0] as Pair;
  const blocks = before(source.value.shape, x.distribution.axis) * (x.distribution.outer ?? 1);
  const axis = pair.rowAxis as number;
  const outer = blocks / before(pair.value.shape, axis);
  const size = pair.value.shape[axis] as number;
  if (!Number.isInteger(outer) || size % (outer * program.batchRows) !== 0) {
    throw new NotPartitionable(
      `reshapes [${source.value.shape}] to [${pair.value.shape}], which tears rows apart`,
      pair.value,
    );
  }
  return program.sharded(program.emit(pair, [x.value]), pair, outer);
};

function before(shape: readonly number[], axis: number): number {
  return shape.slice(0, axis).reduce((n, d) => n * d, 1);
}

const transpose: PartitionRule = (pair, inputs, program) => {
  if (!isSharded(inputs[0] as Placed)) return moved(pair, inputs, program);
  return ownRows(pair, inputs, program, (axis) => (pair.value.attrs.perm as number[]).indexOf(axis));
};

const expand: PartitionRule = (pair, inputs, program) => {
  const [x] = inputs as [Placed];
  if (isSharded(x)) return elementwise(pair, inputs, program);
  if (pair.rowAxis === undefined) return moved(pair, inputs, program);
  return program.sharded(program.emit(pair, [x.whole()]), pair, undefined);
};

const slice: PartitionRule = (pair, inputs, program) => {
  const [x] = inputs as [Placed];
  if (!isSharded(x)) return moved(pair, inputs, program, true);
  const at = (pair.value.attrs.axes as number[]).indexOf(x.distribution.axis);
  return at < 0 ? ownRows(pair, inputs, program, (axis) => axis) : sliceOfBlocks(pair, x, at, program);
};

/** Whole blocks of rows: what takes apart that which was joined along the rows. */
function sliceOfBlocks(pair: Pair, x: Sharded, at: number, program: ShardProgram): Placed {
  const { axis, outer } = x.distribution;
  const attrs = pair.value.attrs as Record<'starts' | 'ends' | 'steps' | 'axes', number[]>;
  const source = (pair.inputs[0] as Pair).value;
  const block = (source.shape[axis] as number) / (outer ?? 1);
  const [start, size] = [attrs.starts[at] as number, pair.value.shape[axis] as number];
  if (pair.rowAxis !== axis || attrs.steps[at] !== 1 || start % block !== 0 || size % block !== 0) {
    throw new NotPartitionable('takes some rows of the mini-batch and leaves others', pair.value);
  }
  const replace = (list: number[], n: number): number[] => list.map((old, i) => (i === at ? program.scaled(n) : old));
  const starts = replace(attrs.starts, start);
  const ends = replace(attrs.ends, start + size);
  return program.sharded(program.emit(pair, [x.value], { ...attrs, starts, ends }), pair, outer && size / block);
}

const concat: PartitionRule = (pair, inputs, program) => {
  const axis = pair.value.attrs.axis as number;
  if (pair.rowAxis === axis) return concatRows(pair, inputs, program);
  if (pair.rowAxis !== undefined) return ownRows(pair, inputs, program, (a) => a);
  return concatParts(pair, inputs, program) ?? onWhole(pair, inputs, program);
};

/** Rows joined to rows: one more block each, if rows are of equal length. */
function concatRows(pair: Pair, inputs: readonly Placed[], program: ShardProgram): Placed {
  const axis = pair.rowAxis as number;
  const sizeOf = (i: number): number => (pair.inputs[i] as Pair).value.shape[axis] as number;
  const inner = inputs.map((x, i) =>
    isSharded(x) && x.distribution.axis === axis ? sizeOf(i) / program.batchRows / (x.distribution.outer ?? 1) : 0,
  );
  if (inner.some((n) => n === 0 || n !== inner[0])) {
    throw new NotPartitionable('joins rows of different lengths along the mini-batch', pair.value);
  }
  const outer = (pair.value.shape[axis] as number) / program.batchRows / (inner[0] as number);
  return program.sharded(
    program.emit(
      pair,
      inputs.map((x) => x.value),
    ),
    pair,
    outer,
  );
}

function concatParts(pair: Pair, inputs: readonly Placed[], program: ShardProgram): Placed | undefined {
  const first = inputs.find(isPartial);
  if (!first) return undefined;
  const { reduction } = first.distribution;
  const parts = inputs.map((x) => program.asPart(x, reduction));
  if (parts.some((part) => part === undefined)) return undefined;
  const whole = (): Value =>
    program.emit(
      pair,
      inputs.map((x) => x.whole()),
    );
  return program.partial(program.emit(pair, parts as Value[]), reduction, whole);
}

const pad: PartitionRule = (pair, inputs, program) => {
  const [x, fill] = inputs as [Placed, Placed];
  if (!isSharded(x)) {
    const isZero = fill.value.splat === 0;
    return isPartial(x) && x.distribution.reduction === 'sum' && isZero
      ? moved(pair, inputs, program)
      : onWhole(pair, inputs, program);
  }
  const pads = pair.value.attrs.pads as number[];
  const { axis } = x.distribution;
  if (pads[axis] !== 0 || pads[axis + pads.length / 2] !== 0) {
    throw new NotPartitionable('adds rows to the mini-batch', pair.value);
  }
  return ownRows(pair, inputs, program, (a) => a);
};

const tile: PartitionRule = (pair, inputs, program) => {
  const [x] = inputs as [Placed];
  if (!isSharded(x)) return moved(pair, inputs, program);
  const { axis, outer } = x.distribution;
  const times = (pair.value.attrs.repeats as number[])[axis] as number;
  return program.sharded(program.emit(pair, [x.value]), pair, outer && outer * times);
};

/** Rows of indices into a table, or the same elements of every row. */
const gather: PartitionRule = (pair, inputs, program) => {
  const at = pair.value.attrs.axis as number;
  const [x, indices] = inputs as [Placed, Placed];
  if (!isSharded(x) && !isSharded(indices)) return moved(pair, inputs, program);
  if (isSharded(x) && x.distribution.axis === at) {
    throw new NotPartitionable('picks rows of the mini-batch by number', pair.value);
  }
  const indexRank = (pair.inputs[1] as Pair).value.shape.length;
  return ownRows(pair, inputs, program, (axis, i) => {
    if (i === 1) return at + axis;
    return axis < at ? axis : axis - 1 + indexRank;
  });
};

/** Rows added into a table of zeros by index: each shard adds its own. */
const scatter: PartitionRule = (pair, inputs, program) => {
  const [table, indices, rows] = inputs as [Placed, Placed, Placed];
  if (!inputs.some(isSharded)) return onWhole(pair, inputs, program);
  const isSum = table.value.splat === 0 && pair.value.attrs.reduction === 'add';
  if (!isSum || isSharded(table) || !isSharded(indices) || !isSharded(rows)) {
    throw new NotPartitionable('writes rows of the mini-batch by number', pair.value);
  }
  commonOuter({ ...pair, rowAxis: 0 }, [indices, rows], (axis) => axis);
  return program.partial(program.emit(pair, [table.value, indices.value, rows.value]), 'sum');
};

export const layout: Readonly<Record<string, PartitionRule>> = {
  Concat: concat,
  Constant: constant,
  Expand: expand,
  Gather: gather,
  Input: input,
  Pad: pad,
  Reshape: reshape,
  ScatterND: scatter,
  Slice: slice,
  Tile: tile,
  Transpose: transpose,
};
