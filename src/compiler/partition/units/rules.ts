/** How each operator of the mini-batch's program is done by a shard of units. What no rule fits is done by all on whole values. */
import { sizeOf } from '../../graph/shapes.js';
import type { Value } from '../../graph/value.js';
import { ELEMENTWISE } from '../rules/elementwise.js';
import { nameOf } from './unit-cut.js';
import type { Held, UnitProgram } from './unit-program.js';

/** What a shard does; undefined where it needs whole inputs. */
type UnitRule = (source: Value, inputs: readonly Held[], program: UnitProgram) => Held | undefined;

const input: UnitRule = (source, _, program) => {
  const axis = program.cut.axisOf(nameOf(source)) ?? undefined;
  const value = program.emit(source, [], axis);
  return axis === undefined ? program.whole(source, value) : program.piece(source, value, axis);
};

const constant: UnitRule = (source, _, program) => {
  const { splat, data, shape, dtype } = source;
  const { graph } = program;
  if (splat !== undefined) return program.whole(source, graph.splat(splat, shape, dtype));
  return program.whole(source, graph.constant(data as NonNullable<typeof data>, shape, dtype));
};

/** Shapes broadcast from the right. */
const elementwise: UnitRule = (source, inputs, program) => {
  const rank = source.shape.length;
  const [axis, ...others] = new Set(inputs.flatMap((held) => axisOf(held, (a) => a + rank - held.source.shape.length)));
  if (axis === undefined) return sumOfParts(source, inputs, program);
  if (others.length > 0) return undefined;
  const operands: Value[] = [];
  for (const held of inputs) {
    const operand = pieceOf(held, axis - rank + held.source.shape.length, program);
    if (!operand) return undefined;
    operands.push(operand);
  }
  return program.piece(source, program.emit(source, operands, axis), axis);
};

function axisOf({ holding }: Held, to: (axis: number) => number): number[] {
  return holding.kind === 'piece' ? [to(holding.axis)] : [];
}

/** The shard's own piece, unless it has another one. */
function pieceOf(held: Held, axis: number, program: UnitProgram): Value | undefined {
  const { source, value, holding } = held;
  if (axis < 0 || source.shape[axis] === 1) return program.wholeOf(held);
  if (holding.kind === 'piece') return holding.axis === axis ? value : undefined;
  if (holding.kind === 'part') return program.scatter(held, axis);
  if (source.splat !== undefined) {
    return program.graph.splat(source.splat, program.pieceShape(source.shape, axis), source.dtype);
  }
  program.cut.cutAtTheSource(source, axis);
  return program.own(value, axis);
}

/** Summands stay summands where the operator is linear in them. */
function sumOfParts(source: Value, inputs: readonly Held[], program: UnitProgram): Held | undefined {
  if (!inputs.some(isPart)) return undefined;
  const operands = partOperands(source, inputs, program);
  if (!operands) return undefined;
  const makeWhole = (): Value =>
    program.emit(
      source,
      inputs.map((held) => program.wholeOf(held)),
    );
  return program.part(source, program.emit(source, operands), makeWhole);
}

function partOperands({ op, dtype }: Value, inputs: readonly Held[], program: UnitProgram): Value[] | undefined {
  const [a, b] = inputs as [Held, Held];
  switch (op) {
    case 'Neg':
      return [a.value];
    case 'Cast':
      return dtype === 'float32' ? [a.value] : undefined;
    case 'Add':
    case 'Sub':
    case 'Sum':
      return inputs.map((held) => (isPart(held) ? held.value : program.share(held.value)));
    case 'Mul':
      return isPart(a) && isPart(b) ? undefined : [a.value, b.value];
    case 'Div':
      return isPart(b) || dtype !== 'float32' ? undefined : [a.value, b.value];
    default:
      return undefined;
  }
}

function isPart({ holding }: Held): boolean {
  return holding.kind === 'part';
}

/** What an axis of an operand is in a product of [m, k] and [k, n]. */
type Side = 'rows' | 'inner' | 'columns';

const gemm: UnitRule = (source, inputs, program) => {
  const [a, b] = inputs as [Held, Held];
  if (inputs.length !== 2) return undefined;
  const { transA, transB } = source.attrs;
  const sideA: Side[] = transA ? ['inner', 'rows'] : ['rows', 'inner'];
  const sideB: Side[] = transB ? ['columns', 'inner'] : ['inner', 'columns'];
  decideMatrix(a, b, sideA, sideB, program);
  decideMatrix(b, a, sideB, sideA, program);
  const [ownA, ownB] = [sideOf(a, sideA), sideOf(b, sideB)];
  if (ownA === undefined && ownB === undefined) return undefined;
  if (ownA === 'inner' || ownB === 'inner') {
    const operands = [pieceUnlessOther(a, sideA, program), pieceUnlessOther(b, sideB, program)];
    if (operands[0] && operands[1]) return program.part(source, program.emit(source, operands as Value[]));
  }
  const [rows, columns] = [ownA === 'rows', ownB === 'columns'];
  // Where both are cut, that of which all is known, or which is smaller, is put together.
  const keepsColumns = columns && (!rows || program.isWhole(a) || sizeOf(a.source.shape) <= sizeOf(b.source.shape));
  if (keepsColumns) return program.piece(source, program.emit(source, [program.wholeOf(a), b.value], 1), 1);
  return rows ? program.piece(source, program.emit(source, [a.value, program.wholeOf(b)], 0), 0) : undefined;
};

function sideOf({ holding }: Held, sides: readonly Side[]): Side | undefined {
  return holding.kind === 'piece' ? sides[holding.axis] : undefined;
}

/** The shard's piece along the inner axis, unless the operand is cut along the other one. */
function pieceUnlessOther(held: Held, sides: readonly Side[], program: UnitProgram): Value | undefined {
  const own = sideOf(held, sides);
  return own === undefined || own === 'inner' ? pieceOf(held, sides.indexOf('inner'), program) : undefined;
}

/**
 * Cuts a layer's matrix where it is first used. By its units, each shard computing its own; or by its inputs, where those lie
 * that way and the units are so few that adding them up costs less than putting the inputs together would (Shoeybi et al.,
 * "Megatron-LM", 2019, alternates the two).
 */
function decideMatrix(
  matrix: Held,
  other: Held,
  sides: readonly Side[],
  otherSides: readonly Side[],
  program: UnitProgram,
): void {
  const { cut, shards } = program;
  if (!cut.isOpenMatrix(matrix.source)) return;
  const inner = sides.indexOf('inner');
  const units = 1 - inner;
  const count = matrix.source.shape[units] as number;
  const isAligned = sideOf(other, otherSides) === 'inner';
  if (isAligned && 2 * count <= (matrix.source.shape[inner] as number)) cut.decide(matrix.source, inner);
  const isFree = isAligned || other.holding.kind !== 'piece';
  if (isFree && count % shards === 0) cut.decide(matrix.source, units);
  cut.decide(matrix.source, isAligned ? inner : null);
}

/** Over other axes than the one that is cut, or a sum over that. */
const reduce: UnitRule = (source, [x], program) => {
  const { holding, value } = x as Held;
  const axes = source.attrs.axes as readonly number[];
  const isSum = source.op === 'ReduceSum';
  if (holding.kind === 'part' && isSum) return program.part(source, program.emit(source, [value]));
  if (holding.kind !== 'piece') return undefined;
  if (axes.includes(holding.axis)) return isSum ? program.part(source, program.emit(source, [value])) : undefined;
  const axis = holding.axis - axes.filter((a) => a < holding.axis).length;
  return program.piece(source, program.emit(source, [value], axis), axis);
};

/** The cut axis must stay one: as much before it as there was. */
const reshape: UnitRule = (source, [x], program) => {
  const { holding, value, source: from } = x as Held;
  if (holding.kind === 'part') return program.part(source, program.emit(source, [value]));
  if (holding.kind !== 'piece') return undefined;
  const size = from.shape[holding.axis];
  const before = sizeOf(from.shape.slice(0, holding.axis));
  const axis = source.shape.findIndex((n, i) => n === size && sizeOf(source.shape.slice(0, i)) === before);
  return axis < 0 ? undefined : program.piece(source, program.emit(source, [value], axis), axis);
};

const transpose: UnitRule = (source, [x], program) => {
  const { holding, value } = x as Held;
  if (holding.kind === 'part') return program.part(source, program.emit(source, [value]));
  if (holding.kind !== 'piece') return undefined;
  const axis = (source.attrs.perm as readonly number[]).indexOf(holding.axis);
  return program.piece(source, program.emit(source, [value], axis), axis);
};

const expand: UnitRule = (source, inputs, program) => {
  const [{ holding, value }] = inputs as [Held];
  if (holding.kind === 'part') return program.part(source, program.emit(source, [value]));
  return holding.kind === 'piece' ? elementwise(source, inputs, program) : undefined;
};

const RULES: Readonly<Record<string, UnitRule>> = {
  ...Object.fromEntries(ELEMENTWISE.map((op) => [op, elementwise])),
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

/** Has a shard do `source`, whose inputs are held. */
export function holdValue(source: Value, program: UnitProgram): Held {
  const inputs = source.inputs.map((value) => program.heldOf(value));
  return (
    RULES[source.op]?.(source, inputs, program) ??
    program.whole(
      source,
      program.emit(
        source,
        inputs.map((held) => program.wholeOf(held)),
      ),
    )
  );
}
