/** How weights stand in the arena, where they may be cut into pieces, and how between two fits. */
import { type ParameterLayout, parameterAt } from '../common/parameters.js';
import { putPiece, takePiece } from '../common/pieces.js';

export interface Layouts {
  arena: ParameterLayout;
  /** The same weights, none of them cut; the same object where none is. */
  whole: ParameterLayout;
}

/** Optimizer slots of the arena, each laid out as the trained weights, for weights that are whole. */
export function withWholeWeights(slots: Float32Array, { arena, whole }: Layouts): Float32Array {
  if (arena === whole) return slots;
  return eachVector(slots, arena, whole, (from, to) => {
    for (const { index, offset, size, shape, role, piece } of arena.parameters) {
      if (role !== 'trained') continue;
      const at = parameterAt(whole, index);
      const target = to.subarray(at.offset, at.offset + at.size);
      const values = from.subarray(offset, offset + size);
      if (piece) putPiece(values, shape, piece, target);
      else target.set(values);
    }
  });
}

/** The other way round. */
export function withCutWeights(slots: Float32Array, { arena, whole }: Layouts): Float32Array {
  if (arena === whole) return slots;
  return eachVector(slots, whole, arena, (from, to) => {
    for (const { index, offset, size, shape, role, piece } of arena.parameters) {
      if (role !== 'trained') continue;
      const at = parameterAt(whole, index);
      const values = from.subarray(at.offset, at.offset + at.size);
      const target = to.subarray(offset, offset + size);
      if (piece) takePiece(values, shape, piece, target);
      else target.set(values);
    }
  });
}

function eachVector(
  slots: Float32Array,
  from: ParameterLayout,
  to: ParameterLayout,
  move: (from: Float32Array, to: Float32Array) => void,
): Float32Array {
  const count = slots.length / from.trainedEnd;
  const moved = new Float32Array(count * to.trainedEnd);
  for (let i = 0; i < count; i++) {
    move(
      slots.subarray(i * from.trainedEnd, (i + 1) * from.trainedEnd),
      moved.subarray(i * to.trainedEnd, (i + 1) * to.trainedEnd),
    );
  }
  return moved;
}
