import { didYouMean } from '../common/nearest-name.js';
import { DataChoiceError, DataError } from './data-error.js';
import { shorten } from './number-cell.js';

/**
 * Place of the column to predict among the columns of a table.
 *
 * @throws DataError for a column without a name, two of one name, or no other column; DataChoiceError if the table does not
 *   have the target, or none was named.
 */
export function findTarget(source: string, names: string[], target: string | undefined): number {
  checkColumnNames(source, names);
  if (target === undefined) {
    throw new DataChoiceError(`${source}: name the column to predict with --target; it has: ${list(names)}`);
  }
  const place = names.indexOf(target);
  if (place < 0) {
    throw new DataChoiceError(
      `${source} has no column '${shorten(target)}'${didYouMean(target, names) || '.'} It has: ${list(names)}`,
    );
  }
  if (names.length < 2) {
    throw new DataError(
      `${source}: '${shorten(target)}' is the only column; a model also needs columns to predict it from`,
    );
  }
  return place;
}

function checkColumnNames(source: string, names: string[]): void {
  const unnamed = names.indexOf('');
  if (unnamed >= 0)
    throw new DataError(`${source}: column ${unnamed + 1} has no name; name it in the first line or leave it out`);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new DataError(`${source}: two columns are named '${shorten(repeated)}'; names must differ, rename one`);
  }
}

function list(names: string[]): string {
  return names.length > 20 ? `${names.slice(0, 20).join(', ')}, ... (${names.length} columns)` : names.join(', ');
}

/**
 * Places of the columns that a model was trained on.
 *
 * @throws DataError for a column without a name, two of one name, or the first that is missing.
 */
export function findColumns(source: string, names: string[], columns: string[]): number[] {
  checkColumnNames(source, names);
  return columns.map((column) => {
    const place = names.indexOf(column);
    if (place >= 0) return place;
    throw new DataError(
      `${source} has no column '${column}', which the model was trained on${didYouMean(column, names)}`,
    );
  });
}
