import type { ArenaArray } from '../common/arena.js';
import { copyValues } from '../common/copy.js';
import type { Range } from '../common/shards.js';

/** Below this a loop over the values is faster than a call of `set` per row. */
const SHORT_ROW = 24;

/**
 * Copies rows of the data set into `target`, one behind the other.
 *
 * @param permutation Row numbers in the epoch's order; null if that is the order of the data set.
 */
export function gatherRows(
  source: ArenaArray,
  rowSize: number,
  target: ArenaArray,
  { start, rows }: { start: Range['start']; rows: number },
  permutation: Int32Array | null,
): void {
  if (!permutation) {
    copyValues(source.subarray(start * rowSize, (start + rows) * rowSize), target);
    return;
  }
  for (let i = 0; i < rows; i++) {
    const from = (permutation[start + i] as number) * rowSize;
    if (rowSize >= SHORT_ROW) {
      target.set(source.subarray(from, from + rowSize), i * rowSize);
    } else {
      const to = i * rowSize;
      for (let j = 0; j < rowSize; j++) target[to + j] = source[from + j] as number;
    }
  }
}
