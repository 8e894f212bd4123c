/** Matrix products, which decide how the layers' matrices are cut. */
import { sizeOf } from '../../graph/shapes.js';
import type { Value } from '../../graph/value.js';
import { ownPiece } from './own-piece.js';
import type { Placed, UnitProgram, UnitRule } from './unit-program.js';

/** What an axis of an operand is in a product of [m, k] and [k, n]. */
type Side = 'rows' | 'inner' | 'columns';

export const gemm: UnitRule = (source, inputs, program) => {
  const [a, b] = inputs as [Placed, Placed];
  if (inputs.length !== 2) return undefined;
  const { transA, transB } = source.attrs;
  const sideA: Side[] = transA ? ['inner', 'rows'] : ['rows', 'inner'];
  const sideB: Side[] = transB ? ['columns', 'inner'] : ['inner', 'columns'];
  const [ownA, ownB] = [sideOf(a, sideA), sideOf(b, sideB)];
  decideMatrix(a, b, sideA, ownB, program);
  decideMatrix(b, a, sideB, ownA, program);
  if (ownA === undefined && ownB === undefined) return undefined;
  if (ownA === 'inner' || ownB === 'inner') {
    const operands = [pieceUnlessOther(a, sideA, program), pieceUnlessOther(b, sideB, program)];
    if (operands[0] && operands[1]) return program.partial(source, program.emit(source, operands as Value[]));
  }
  const [rows, columns] = [ownA === 'rows', ownB === 'columns'];
  // Where both are cut, that of which all is known, or which is smaller, is put together.
  const keepsColumns = columns && (!rows || program.isWhole(a) || sizeOf(a.source.shape) <= sizeOf(b.source.shape));
  if (keepsColumns) return program.sharded(source, program.emit(source, [program.wholeOf(a), b.value], 1), 1);
  return rows ? program.sharded(source, program.emit(source, [a.value, program.wholeOf(b)], 0), 0) : undefined;
};

function sideOf({ distribution }: Placed, sides: readonly Side[]): Side | undefined {
  return distribution.kind === 'sharded' ? sides[distribution.axis] : undefined;
}

/** The shard's piece along the inner axis, unless the operand is cut along the other one. */
function pieceUnlessOther(placed: Placed, sides: readonly Side[], program: UnitProgram): Value | undefined {
  const own = sideOf(placed, sides);
  return own === undefined || own === 'inner' ? ownPiece(placed, sides.indexOf('inner'), program) : undefined;
}

/** Decides how a layer's matrix is cut, where it is first used. */
function decideMatrix(
  matrix: Placed,
  other: Placed,
  sides: readonly Side[],
  otherSide: Side | undefined,
  { cut, shards }: UnitProgram,
): void {
  if (!cut.isOpenMatrix(matrix.source)) return;
  const isFree = other.distribution.kind !== 'sharded' || otherSide === 'inner';
  cut.decide(matrix.source, isFree ? axisOfMatrix(matrix.source, sides, otherSide === 'inner', shards) : null);
}

/**
 * By its units, each shard computing its own; or by its inputs, where those lie that way (`isAligned`) and the units are so few
 * that adding them up costs less than putting the inputs together would (Shoeybi et al., "Megatron-LM", 2019, alternates the
 * two). Null if it stays whole.
 */
function axisOfMatrix({ shape }: Value, sides: readonly Side[], isAligned: boolean, shards: number): number | null {
  const inner = sides.indexOf('inner');
  const units = 1 - inner;
  const [inputs, outputs] = [shape[inner] as number, shape[units] as number];
  // A reduction reads the outputs of all shards, putting together reads each input once.
  if (isAligned && shards * outputs <= inputs) return inner;
  if (outputs % shards === 0) return units;
  return isAligned ? inner : null;
}
