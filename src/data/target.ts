import { DataError } from './data-error.js';
import { isNumberText, readNumber, shorten } from './number-cell.js';
import type { ClassTarget, NumberTarget, Target, Task } from './table.js';

/** Whole numbers are taken for classes up to this many different ones. */
export const MOST_NUMBERED_CLASSES = 20;
/** ... each of them on this many rows on average: fewer look like counts or measurements. */
export const ROWS_PER_CLASS = 3;

/** The cells of the column that is to be predicted, with the line each stands on. */
export interface TargetColumn {
  /** The file, for messages. */
  source: string;
  name: string;
  cells: string[];
  lines: number[];
}

/**
 * Makes a target of a column. Without `task`: text is a class; numbers are measurements, unless all are whole, at most
 * {@link MOST_NUMBERED_CLASSES} different ones, with {@link ROWS_PER_CLASS} rows or more for each on average.
 *
 * @throws DataError for an empty cell, text among numbers (with its line), or a column of one class.
 */
export function readTarget(column: TargetColumn, task?: Task): Target {
  const empty = column.cells.indexOf('');
  if (empty >= 0) throw cellError(column, empty, 'is empty; fill it in or leave the row out');
  return (task ?? guessTask(column)) === 'class' ? classTarget(column) : numberTarget(column);
}

function guessTask(column: TargetColumn): Task {
  const { cells } = column;
  const texts = cells.filter((cell) => !isNumberText(cell)).length;
  // A few words in a column of numbers are slips, not classes: read as numbers, so that the first of them is named.
  if (texts > 0) return texts * 2 >= cells.length ? 'class' : 'number';
  const different = new Set(cells.map(Number));
  const whole = [...different].every(Number.isInteger);
  const few = different.size <= MOST_NUMBERED_CLASSES && different.size * ROWS_PER_CLASS <= cells.length;
  return whole && few ? 'class' : 'number';
}

function numberTarget(column: TargetColumn): NumberTarget {
  const values = new Float32Array(column.cells.length);
  column.cells.forEach((cell, row) => {
    const value = readNumber(cell);
    if (typeof value !== 'number') throw cellError(column, row, value.problem);
    values[row] = value;
  });
  return { kind: 'number', name: column.name, values };
}

function classTarget(column: TargetColumn): ClassTarget {
  // '1', '01' and '1.0' are one class where every label is a number.
  const numbered = column.cells.every(isNumberText);
  const labels = numbered ? column.cells.map((cell) => String(Number(cell))) : column.cells;
  const classes = [...new Set(labels)];
  classes.sort(numbered ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
  if (classes.length < 2) {
    throw new DataError(
      `${column.source}: target column '${column.name}' holds one class only, '${shorten(classes[0] ?? '')}'; a model needs two or more to tell apart`,
    );
  }
  const indexOf = new Map(classes.map((label, index) => [label, index]));
  const values = Int32Array.from(labels, (label) => indexOf.get(label) as number);
  return { kind: 'class', name: column.name, classes, values };
}

function cellError(column: TargetColumn, row: number, problem: string): DataError {
  return new DataError(`${column.source}, line ${column.lines[row]}, column '${column.name}' (the target): ${problem}`);
}
