/** Values of a weight, as they are in the model and as they stand in the arena. */
import type { Parameter } from '../common/parameters.js';
import { putPiece, takePiece } from '../common/pieces.js';

type Place = Pick<Parameter, 'shape' | 'piece' | 'transposed' | 'size'>;

/**
 * Copies values of a weight, or the piece of them that the parameter is, to where they stand in the arena.
 *
 * @param weight all values, as in the model.
 * @param target `size` values.
 */
export function takeParameter(weight: Float32Array, place: Place, target: Float32Array): void {
  const { shape, piece, transposed, size } = place;
  if (!transposed) {
    takePiece(weight, shape, piece, target);
    return;
  }
  const part = piece ? new Float32Array(size) : weight;
  if (piece) takePiece(weight, shape, piece, part);
  transposeMatrix(part, partShape(place), target);
}

/**
 * Copies values out of the arena to their places in a weight.
 *
 * @param values `size` values, as they stand in the arena.
 * @param weight room for all values, as in the model.
 */
export function putParameter(values: Float32Array, place: Place, weight: Float32Array): void {
  const { shape, piece, transposed, size } = place;
  if (!transposed) {
    putPiece(values, shape, piece, weight);
    return;
  }
  const [rows, columns] = partShape(place);
  const part = piece ? new Float32Array(size) : weight;
  transposeMatrix(values, [columns, rows], part);
  if (piece) putPiece(part, shape, piece, weight);
}

/** Of a matrix, or the piece of it. */
function partShape({ shape, piece }: Place): [rows: number, columns: number] {
  return shape.map((n, axis) => (axis === piece?.axis ? n / piece.count : n)) as [number, number];
}

/** Squares of so many rows and columns stay in the cache. */
const TILE = 32;

/** Copies a matrix [rows, columns] to one of [columns, rows]. */
function transposeMatrix(matrix: Float32Array, [rows, columns]: readonly [number, number], target: Float32Array): void {
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns);
      for (let column = left; column < right; column++) {
        for (let row = top; row < bottom; row++) {
          target[column * rows + row] = matrix[row * columns + column] as number;
        }
      }
    }
  }
}
