/**
 * Copies between the memory that threads share and a thread's own. There `set` of typed arrays goes word by word, so that no word
 * is torn; Node's `fill` of a buffer with another of the same size is a plain `memcpy`, and two to four times as fast.
 */
import type { ArenaArray } from './arena.js';

/** The bytes of an array, where they are. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArenaArray): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Copies all of `from` over `to`. For what is copied again and again: making a view of bytes costs as much as copying some hundred. */
export function copyBytes(from: Buffer, to: Buffer): void {
  if (from.length !== to.length) throw new RangeError(`${from.length} bytes do not fit in ${to.length}`);
  // Node has an error for a filling of no bytes.
  if (from.length > 0) to.fill(from);
}

/**
 * Copies all elements of `from` over those of `to`, from `at` on.
 *
 * @throws RangeError if they do not fit.
 */
export function copyValues(from: ArenaArray, to: ArenaArray, at = 0): void {
  // Bytes mean the same only in arrays of the same type.
  if (from.constructor === to.constructor) copyBytes(bytesOf(from), bytesOf(to.subarray(at, at + from.length)));
  else to.set(from, at);
}
