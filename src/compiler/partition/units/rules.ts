/** How each operator of the mini-batch's program is done by a shard of units. What no rule fits is done by all on whole values. */
import { ELEMENTWISE } from '../../graph/operators.js';
import { sizeOf } from '../../graph/shapes.js';
import type { Value } from '../../graph/value.js';
import { gemm } from './gemm.js';
import { ownPiece } from './own-piece.js';
import { nameOf } from './unit-cut.js';
import type { Placed, UnitProgram, UnitRule } from './unit-program.js';

const input: UnitRule = (source, _, program) => {
  const axis = program.cut.axisOf(nameOf(source)) ?? undefined;
  const value = program.emit(source, [], axis);
  return axis === undefined ? program.replicated(source, value) : program.sharded(source, value, axis);
};

const constant: UnitRule = (source, _, program) => {
  const { splat, data, shape, dtype } = source;
  const { graph } = program;
  if (splat !== undefined) return program.replicated(source, graph.splat(splat, shape, dtype));
  return program.replicated(source, graph.constant(data as NonNullable<typeof data>, shape, dtype));
};

/** Shapes broadcast from the right. */
const elementwise: UnitRule = (source, inputs, program) => {
  const rank = source.shape.length;
  const [axis, ...others] = new Set(
    inputs.flatMap((placed) => axisOf(placed, (a) => a + rank - placed.source.shape.length)),
  );
  if (axis === undefined) return sumOfParts(source, inputs, program);
  if (others.length > 0) return undefined;
  const operands: Value[] = [];
  for (const placed of inputs) {
    const operand = ownPiece(placed, axis - rank + placed.source.shape.length, program);
    if (!operand) return undefined;
    operands.push(operand);
  }
  return program.sharded(source, program.emit(source, operands, axis), axis);
};

function axisOf({ distribution }: Placed, to: (axis: number) => number): number[] {
  return distribution.kind === 'sharded' ? [to(distribution.axis)] : [];
}

/** Summands stay summands where the operator is linear in them. */
function sumOfParts(source: Value, inputs: readonly Placed[], program: UnitProgram): Placed | undefined {
  if (!inputs.some(isPartial)) return undefined;
  const operands = partOperands(source, inputs, program);
  if (!operands) return undefined;
  const makeWhole = (): Value =>
    program.emit(
      source,
      inputs.map((placed) => program.wholeOf(placed)),
    );
  return program.partial(source, program.emit(source, operands), makeWhole);
}

function partOperands({ op, dtype }: Value, inputs: readonly Placed[], program: UnitProgram): Value[] | undefined {
  const [a, b] = inputs as [Placed, Placed];
  switch (op) {
    case 'Neg':
      return [a.value];
    case 'Cast':
      return dtype === 'float32' ? [a.value] : undefined;
    case 'Add':
    case 'Sub':
    case 'Sum':
      if (dtype !== 'float32' && !inputs.every(isPartial)) return undefined;
      return inputs.map((placed) => (isPartial(placed) ? placed.value : program.share(placed.value)));
    case 'Mul':
      return isPartial(a) && isPartial(b) ? undefined : [a.value, b.value];
    case 'Div':
      return isPartial(b) || dtype !== 'float32' ? undefined : [a.value, b.value];
    default:
      return undefined;
  }
}

function isPartial({ distribution }: Placed): boolean {
  return distribution.kind === 'partial';
}

/** Over other axes than the one that is cut, or a sum over that. */
const reduce: UnitRule = (source, [x], program) => {
  const { distribution, value } = x as Placed;
  const axes = source.attrs.axes as readonly number[];
  const isSum = source.op === 'ReduceSum';
  if (distribution.kind === 'partial' && isSum) return program.partial(source, program.emit(source, [value]));
  if (distribution.kind !== 'sharded') return undefined;
  if (axes.includes(distribution.axis))
    return isSum ? program.partial(source, program.emit(source, [value])) : undefined;
  const axis = distribution.axis - axes.filter((a) => a < distribution.axis).length;
  return program.sharded(source, program.emit(source, [value], axis), axis);
};

/** What moves elements: a piece stays one where the cut axis goes to another, `axisOf`; undefined if it does not. */
const moved =
  (axisOf: (axis: number, from: Value, to: Value) => number | undefined): UnitRule =>
  (source, inputs, program) => {
    const [{ distribution, value, source: from }] = inputs as [Placed];
    if (distribution.kind === 'partial') return program.partial(source, program.emit(source, [value]));
    if (distribution.kind !== 'sharded') return undefined;
    const axis = axisOf(distribution.axis, from, source);
    return axis === undefined ? undefined : program.sharded(source, program.emit(source, [value], axis), axis);
  };

const transpose = moved((axis, _, { attrs }) => (attrs.perm as readonly number[]).indexOf(axis));

const expand = moved((axis, from, to) => axis + to.shape.length - from.shape.length);

/** The cut axis must stay one: as much before it as there was. */
const reshape = moved((axis, from, to) => {
  const before = sizeOf(from.shape.slice(0, axis));
  const found = to.shape.findIndex((n, i) => n === from.shape[axis] && sizeOf(to.shape.slice(0, i)) === before);
  return found < 0 ? undefined : found;
});

const RULES: Readonly<Record<string, UnitRule>> = {
  ...Object.fromEntries([...ELEMENTWISE].map((op) => [op, elementwise])),
  Constant: constant,
  Expand: expand,
  Gemm: gemm,
  Input: input,
  ReduceMax: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceSum: reduce,
  Reshape: reshape,
  Transpose: transpose,
};

/** Has a shard do `source`, whose inputs are placed. */
export function placeValue(source: Value, program: UnitProgram): Placed {
  const inputs = source.inputs.map((value) => program.placedOf(value));
  return (
    RULES[source.op]?.(source, inputs, program) ??
    program.replicated(
      source,
      program.emit(
        source,
        inputs.map((placed) => program.wholeOf(placed)),
      ),
    )
  );
}
