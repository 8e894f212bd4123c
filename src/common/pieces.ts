/** Tensors cut into pieces of equal size along one axis. */
import { sizeOf } from './shapes.js';

/** Which piece of a tensor: number `index` of `count` along `axis`. */
export interface Piece {
  axis: number;
  index: number;
  count: number;
}

type Values = Float32Array | Int32Array | Uint8Array;

/** Copies a piece of `whole`, a tensor of `shape`, to `piece`; all of it without a `place`. */
export function takePiece(whole: Values, shape: readonly number[], place: Piece | undefined, piece: Values): void {
  if (!place) piece.set(whole);
  else forEachRun(shape, place, (at, from, length) => piece.set(whole.subarray(from, from + length), at));
}

/** Copies `piece` to its place in `whole`, a tensor of `shape`; it is all of it without a `place`. */
export function putPiece(piece: Values, shape: readonly number[], place: Piece | undefined, whole: Values): void {
  if (!place) whole.set(piece);
  else forEachRun(shape, place, (at, from, length) => whole.set(piece.subarray(at, at + length), from));
}

/**
 * The stretches of a tensor that are one piece.
 *
 * @param visit told where each begins in the piece and in the whole, and how long it is.
 */
export function forEachRun(
  shape: readonly number[],
  { axis, index, count }: Piece,
  visit: (at: number, from: number, length: number) => void,
): void {
  const length = sizeOf(shape.slice(axis)) / count;
  const runs = sizeOf(shape.slice(0, axis));
  for (let run = 0; run < runs; run++) visit(run * length, (run * count + index) * length, length);
}
