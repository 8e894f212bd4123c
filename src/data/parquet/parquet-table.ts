import { DataError } from '../data-error.js';
import { LARGEST_FLOAT32, readNumber } from '../number-cell.js';
import { joinRows, type Table, type Task } from '../table.js';
import { findTarget } from '../table-columns.js';
import { readTarget } from '../target.js';
import { openParquet, type RowGroup, readRowGroups } from './parquet-file.js';

/**
 * Loads a Parquet file as a table; all columns but the target must be numbers or booleans.
 *
 * @throws DataError that names the row and the column of the first value that is not as it must be.
 */
export async function loadParquetTable(
  path: string,
  { target: targetName, task }: { target?: string | undefined; task?: Task | undefined },
): Promise<Table> {
  const opened = await openParquet(path);
  const name = opened.names[findTarget(path, opened.names, targetName)] as string;
  const columns = opened.names.filter((column) => column !== name);
  const features: Float64Array[] = [];
  const cells: string[] = [];
  for await (const group of readRowGroups(opened, [...columns, name])) {
    features.push(readFeatures(path, columns, group));
    for (const value of group.columns[columns.length] ?? []) cells.push(cellOf(value));
  }
  const lines = cells.map((_, row) => row + 1);
  const target = readTarget({ source: path, name, cells, lines, unit: 'row' }, task);
  return { name: path, rows: cells.length, columns, features: joinRows(features), target };
}

/**
 * The first columns of a row group as rows.
 *
 * @param names of these columns
 * @returns [rows, names.length]
 * @throws DataError for the first value that is no number.
 */
export function readFeatures(path: string, names: string[], { start, rows, columns }: RowGroup): Float64Array {
  const width = names.length;
  const features = new Float64Array(rows * width);
  names.forEach((name, column) => {
    const values = columns[column] as ArrayLike<unknown>;
    for (let row = 0; row < rows; row++) {
      const value = numberOf(values[row]);
      if (typeof value !== 'number') {
        throw new DataError(`${path}, row ${start + row + 1}, column '${name}': ${value.problem}`);
      }
      features[row * width + column] = value;
    }
  });
  return features;
}

function numberOf(value: unknown): number | { problem: string } {
  // Not true for NaN either.
  if (typeof value === 'number' && Math.abs(value) <= LARGEST_FLOAT32) return value;
  if (typeof value === 'boolean') return Number(value);
  return readNumber(cellOf(value));
}

/** A value as it would stand in a CSV file. */
export function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return value instanceof Date ? value.toISOString() : String(value);
}
