import { DataError } from './data-error.js';

/**
 * Rows that training sees when the last fraction is kept for validation: floor(rows * (1 - validationSplit)), as in Keras,
 * cut before any shuffling.
 *
 * @throws DataError if no row would be left on either side.
 */
export function trainingRows(rows: number, validationSplit: number): number {
  const training = Math.floor(rows * (1 - validationSplit));
  if (training < 1) {
    throw new DataError(
      `a validation split of ${validationSplit} leaves none of the ${rows} rows for training; use more rows or a smaller split`,
    );
  }
  return training;
}
