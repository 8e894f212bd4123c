import { didYouMean } from '../common/nearest-name.js';
import { DataError } from './data-error.js';
import { isNumberText, readNumber, shorten } from './number-cell.js';
import type { Target } from './table.js';

/** What a model was trained to predict. */
export interface KnownTarget {
  name: string;
  /** Labels of the classes, if they are classes. */
  classes?: string[] | undefined;
}

/**
 * A target of cells that must be what a model was trained on: its classes, or numbers.
 *
 * @param places where each cell stands, for messages
 * @throws DataError for the first cell that is not.
 */
export function readKnownTarget(source: string, known: KnownTarget, cells: string[], places: string[]): Target {
  const { name, classes } = known;
  const fail = (row: number, problem: string) =>
    new DataError(`${source}, ${places[row]}, '${name}' (the target): ${problem}`);
  if (!classes) {
    const values = cells.map((cell, row) => {
      const value = readNumber(cell);
      if (typeof value === 'number') return value;
      throw fail(row, value.problem);
    });
    return { kind: 'number', name, values: Float32Array.from(values) };
  }
  const indexOf = new Map(classes.map((label, index) => [label, index]));
  const values = cells.map((cell, row) => {
    // '1', '01' and '1.0' are one class where labels are numbers.
    const index = indexOf.get(cell) ?? (isNumberText(cell) ? indexOf.get(String(Number(cell))) : undefined);
    if (index !== undefined) return index;
    const hint =
      didYouMean(cell, classes) || `; they are ${classes.slice(0, 10).join(', ')}${classes.length > 10 ? ', ...' : ''}`;
    throw fail(
      row,
      `is '${shorten(cell)}', none of the ${classes.length} classes that the model was trained on${hint}`,
    );
  });
  return { kind: 'class', name, classes, values: Int32Array.from(values) };
}
