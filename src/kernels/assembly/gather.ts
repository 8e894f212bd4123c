/** Copies of what does not lie in one piece. */

/** Bytes from which on `memory.copy` is faster than a loop: below, its call costs more than the copy. */
const LONG: usize = 256;

/**
 * Copies rows of `bytes` bytes each to `target`, one behind the other.
 *
 * @param source the first row of all
 * @param order the numbers of the rows to copy, of four bytes each
 */
export function gatherRows(target: usize, source: usize, bytes: usize, order: usize, rows: i32): void {
  for (let i = 0; i < rows; i++) {
    copy(target, source + <usize>load<u32>(order) * bytes, bytes);
    order += 4;
    target += bytes;
  }
}

/** Copies `runs` stretches of `bytes` bytes, which begin `sourceStride` bytes apart and go `targetStride` bytes apart. They must not overlap. */
export function copyRuns(
  target: usize,
  targetStride: usize,
  source: usize,
  sourceStride: usize,
  bytes: usize,
  runs: i32,
): void {
  for (let i = 0; i < runs; i++) {
    copy(target, source, bytes);
    target += targetStride;
    source += sourceStride;
  }
}

@inline
function copy(target: usize, source: usize, bytes: usize): void {
  if (bytes >= LONG) memory.copy(target, source, bytes);
  else copyShort(target, source, bytes);
}

@inline
function copyShort(target: usize, source: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(target + at, v128.load(source + at));
  for (; at + 4 <= bytes; at += 4) store<u32>(target + at, load<u32>(source + at));
  for (; at < bytes; at++) store<u8>(target + at, load<u8>(source + at));
}
