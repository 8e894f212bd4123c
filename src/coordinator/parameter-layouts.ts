/** How weights stand in the arena, where they may be cut into pieces, and how between two fits. */
import { type Parameter, type ParameterLayout, parameterAt } from '../common/parameters.js';
import { putPiece, takePiece } from '../common/pieces.js';

export interface Layouts {
  arena: ParameterLayout;
  /** The same weights, none of them cut; the same object where none is. */
  whole: ParameterLayout;
}

/** Optimizer slots of the arena, each laid out as the trained weights, put together as for weights that are whole. */
export function joinSlots(slots: Float32Array, layouts: Layouts): Float32Array {
  const { arena, whole } = layouts;
  return arrange(slots, [arena, whole], layouts, (from, to, { shape, piece }) => putPiece(from, shape, piece, to));
}

/** Optimizer slots of weights that are whole, cut into pieces as for the arena. */
export function cutSlots(slots: Float32Array, layouts: Layouts): Float32Array {
  const { arena, whole } = layouts;
  return arrange(slots, [whole, arena], layouts, (from, to, { shape, piece }) => takePiece(from, shape, piece, to));
}

/** @param move copies what belongs to a parameter of the arena from the one arrangement to the other. */
function arrange(
  slots: Float32Array,
  [from, to]: [ParameterLayout, ParameterLayout],
  { arena, whole }: Layouts,
  move: (from: Float32Array, to: Float32Array, parameter: Parameter) => void,
): Float32Array {
  if (arena === whole) return slots;
  const count = slots.length / from.trainedEnd;
  const arranged = new Float32Array(count * to.trainedEnd);
  for (let slot = 0; slot < count; slot++) {
    for (const parameter of arena.parameters.filter(({ role }) => role === 'trained')) {
      const valuesOf = (vectors: Float32Array, layout: ParameterLayout): Float32Array => {
        const { offset, size } = layout === arena ? parameter : parameterAt(whole, parameter.index);
        const start = slot * layout.trainedEnd + offset;
        return vectors.subarray(start, start + size);
      };
      move(valuesOf(slots, from), valuesOf(arranged, to), parameter);
    }
  }
  return arranged;
}
