/**
 * Rows that training sees when the last fraction is kept for validation: floor(rows * (1 - validationSplit)), as in Keras
 * and tfjs, cut before any shuffling.
 *
 * @throws RangeError if no row would be left to train on.
 */
export function trainingRows(rows: number, validationSplit: number): number {
  const training = Math.floor(rows * (1 - validationSplit));
  if (training >= 1) return training;
  throw new RangeError(
    `validationSplit ${validationSplit} leaves no row of ${rows} to train on; use more rows or a smaller fraction`,
  );
}
