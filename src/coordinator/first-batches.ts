import { batchCount } from '../common/shards.js';
import { show } from '../common/show.js';
import type { MatchedData } from './match-data.js';
import { rowsFrom } from './validation-split.js';

/**
 * The rows of the first `steps` mini-batches; all rows if that is undefined.
 *
 * @param name what the number is called as an option.
 * @throws RangeError for a number that is none, or more than there are.
 */
export function firstBatches(
  data: MatchedData,
  batchSize: number,
  steps: number | undefined,
  name: string,
): MatchedData {
  if (steps === undefined) return data;
  const all = batchCount(data.rows, batchSize);
  if (!Number.isInteger(steps) || steps < 1 || steps > all) {
    throw new RangeError(
      `${name} must be a whole number from 1 to ${all}, the mini-batches of the data, got ${show(steps)}`,
    );
  }
  return rowsFrom(data, 0, Math.min(data.rows, steps * batchSize));
}
