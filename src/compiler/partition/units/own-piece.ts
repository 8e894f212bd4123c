import type { Value } from '../../graph/value.js';
import type { Placed, UnitProgram } from './unit-program.js';

/** The shard's own piece, unless it has another one. */
export function ownPiece(placed: Placed, axis: number, program: UnitProgram): Value | undefined {
  const { source, value, distribution } = placed;
  if (axis < 0 || source.shape[axis] === 1) return program.wholeOf(placed);
  if (distribution.kind === 'sharded') return distribution.axis === axis ? value : undefined;
  if (distribution.kind === 'partial') return program.scatter(placed, axis);
  if (source.splat !== undefined) {
    return program.graph.splat(source.splat, program.pieceShape(source.shape, axis), source.dtype);
  }
  program.cut.cutAtTheSource(source, axis);
  return program.own(value, axis);
}
