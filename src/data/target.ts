import { DataChoiceError, DataError } from './data-error.js';
import { isMissingText, isNumberText, readNumber, shorten } from './number-cell.js';
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
  /** What `lines` count. Default: lines of the file. */
  unit?: 'line' | 'row';
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
  const kind = task ?? guessTask(column);
  if (kind === 'number') return numberTarget(column);
  if (task === undefined) checkLabels(column);
  return classTarget(column);
}

function guessTask(column: TargetColumn): Task {
  const { cells } = column;
  const words = cells.filter((cell) => !isNumberText(cell));
  if (words.length > 0) {
    const labels = words.some((word) => !isMissingText(word));
    // A few words in a column of numbers are slips, not classes: read as numbers, so that the first of them is named.
    return labels && words.length * 2 >= cells.length ? 'class' : 'number';
  }
  const different = new Set(cells.map(Number));
  const whole = [...different].every(Number.isInteger);
  const few = different.size <= MOST_NUMBERED_CLASSES && different.size * ROWS_PER_CLASS <= cells.length;
  return whole && few ? 'class' : 'number';
}

/** 'none' may be a label; a NaN among labels is a value that some program could not write. */
function checkLabels(column: TargetColumn): void {
  const row = column.cells.findIndex((cell) => /^nan$/i.test(cell));
  if (row < 0) return;
  const problem = `is '${column.cells[row]}' among labels; fill it in or leave the row out, or say that it is a label with --task class`;
  throw cellError(column, row, problem);
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
  // Asked for by name only: left to the rule above, these are numbers.
  if (numbered && classes.length > MOST_NUMBERED_CLASSES && classes.length * ROWS_PER_CLASS > labels.length) {
    throw new DataChoiceError(
      `${column.source}: target column '${column.name}' holds ${classes.length} different numbers on ${labels.length} rows, too few of each to learn them as classes; predict it as a number (--task number)`,
    );
  }
  const indexOf = new Map(classes.map((label, index) => [label, index]));
  const values = Int32Array.from(labels, (label) => indexOf.get(label) as number);
  return { kind: 'class', name: column.name, classes, values };
}

/** Labels of the rows behind the first `training` that none of those has, and how many rows have them. */
export function unseenClasses(target: Target, training: number): { rows: number; labels: string[] } {
  if (target.kind === 'number') return { rows: 0, labels: [] };
  const seen = new Set(target.values.subarray(0, training));
  const unseen = target.values.subarray(training).filter((label) => !seen.has(label));
  return { rows: unseen.length, labels: [...new Set(unseen)].map((label) => target.classes[label] as string) };
}

function cellError(column: TargetColumn, row: number, problem: string): DataError {
  const { source, unit = 'line', lines, name } = column;
  return new DataError(`${source}, ${unit} ${lines[row]}, column '${name}' (the target): ${problem}`);
}
