import { trainingRows } from '../common/validation-split.js';
import type { Rows } from './data-in.js';
import type { MatchedData } from './match-data.js';

/**
 * Cuts off the last rows for validation, before any shuffling.
 *
 * @throws RangeError if no row is left to train on.
 */
export function splitRows(data: MatchedData, fraction: number): [MatchedData, MatchedData | undefined] {
  const at = trainingRows(data.rows, fraction);
  if (at === data.rows) return [data, undefined];
  return [rowsFrom(data, 0, at), rowsFrom(data, at, data.rows)];
}

/** The rows from `from` to before `to`, without a copy. */
export function rowsFrom(
  { rows, features, targets, sampleWeights }: MatchedData,
  from: number,
  to: number,
): MatchedData {
  const cut = ({ data, shape, dtype }: Rows): Rows => {
    const rowSize = data.length / rows;
    return { data: data.subarray(from * rowSize, to * rowSize), shape: [to - from, ...shape.slice(1)], dtype };
  };
  const weights = sampleWeights.map((column) => column && cut(column));
  return { rows: to - from, features: features.map(cut), targets: targets.map(cut), sampleWeights: weights };
}
