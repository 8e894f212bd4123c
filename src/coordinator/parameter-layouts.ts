/** How weights stand in the arena, where they may be cut into pieces or transposed, and how between two fits. */
import { type Parameter, type ParameterLayout, parameterAt } from '../common/parameters.js';
import { putParameter, takeParameter } from './parameter-values.js';

export interface Layouts {
  arena: ParameterLayout;
  /** The same weights as they are in the model; the same object where those of the arena are. */
  whole: ParameterLayout;
}

/** Vectors of the arena, each laid out as its trained weights, such as optimizer slots, one behind the other: as for the weights of the model. */
export function toModel(vectors: Float32Array, layouts: Layouts): Float32Array {
  const { arena, whole } = layouts;
  return arrange(vectors, [arena, whole], layouts, (from, to, parameter) => putParameter(from, parameter, to));
}

/** The other way round. */
export function toArena(vectors: Float32Array, layouts: Layouts): Float32Array {
  const { arena, whole } = layouts;
  return arrange(vectors, [whole, arena], layouts, (from, to, parameter) => takeParameter(from, parameter, to));
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
