/**
 * Copies between the memory that threads share and a thread's own. V8's `set` copies shared memory word by word, with atomic accesses;
 * a Buffer's `fill` with an array of the same size is a `memcpy` (Node's src/node_buffer.cc), two to four times as fast. Where
 * others write meanwhile (`hogwild`), a copy has old values and new ones, as with `set`.
 */
import type { ArenaArray } from './arena.js';

const { fill } = Buffer.prototype;

/** The bytes of an array, where they are. */
export function byteView({ buffer, byteOffset, byteLength }: ArenaArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Copies the bytes of `from` over `to`; the two must not overlap. For views that are kept: making one costs as much as copying some
 * hundred bytes.
 *
 * @throws RangeError if they differ in size.
 */
export function copyBytes(from: ArenaArray, to: Uint8Array): void {
  if (from.byteLength !== to.length) {
    throw new RangeError(`expected as many bytes to copy to as from, got ${to.length} and ${from.byteLength}`);
  }
  // `fill` throws when it is given an empty array. It takes bytes of any array, of which its type knows Uint8Array alone.
  if (to.length > 0) fill.call(to, from as Uint8Array);
}

/**
 * Copies all elements of `from` over those of `to`, from `at` on; the two must not overlap. Elements of another type are converted.
 *
 * @throws RangeError if they do not fit.
 */
export function copyValues(from: ArenaArray, to: ArenaArray, at = 0): void {
  // Bytes mean the same only in arrays of the same type.
  if (from.constructor === to.constructor) copyBytes(from, byteView(to.subarray(at, at + from.length)));
  else to.set(from, at);
}
