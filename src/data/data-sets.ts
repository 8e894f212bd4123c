import { fileURLToPath } from 'node:url';
import { didYouMean } from '../common/nearest-name.js';
import { loadArrays } from './arrays/load-arrays.js';
import { type CsvTableOptions, loadCsvTable } from './csv-table.js';
import { DataChoiceError } from './data-error.js';
import { formatOf } from './data-format.js';
import { checkDataOptions, type DataOptions } from './data-options.js';
import { loadMnist } from './mnist.js';
import { loadParquetTable } from './parquet/parquet-table.js';
import type { Table } from './table.js';

/** Names of the data sets that come with the package, or with the package `mnist`. */
export const BUILT_IN = ['digits', 'diabetes', 'mnist'] as const;

export function isBuiltIn(name: string): boolean {
  return (BUILT_IN as readonly string[]).includes(name);
}

/**
 * Loads a built-in data set by its name, or a file by its path, whose name says the format.
 *
 * @throws DataError that says what is wrong with the data, where, and what to do; the signal's reason.
 */
export async function loadData(nameOrPath: string, options: DataOptions = {}): Promise<Table> {
  const { target, task, signal } = options;
  if (isBuiltIn(nameOrPath)) checkDataOptions(nameOrPath, 'csv', options);
  switch (nameOrPath) {
    case 'digits':
      return loadShipped('digits', 'digits.csv.gz', { target: target ?? 'digit', task, signal });
    case 'diabetes':
      return loadShipped('diabetes', 'diabetes.csv', { target: target ?? 'progression', task, signal });
    case 'mnist':
      checkMnistOptions(options);
      return loadMnist();
    default:
      return loadFile(nameOrPath, options);
  }
}

function loadShipped(name: string, file: string, options: CsvTableOptions): Promise<Table> {
  // From dist/data as from src/data, the shipped files are two folders up.
  const path = fileURLToPath(new URL(`../../data/${file}`, import.meta.url));
  return loadCsvTable(path, { name, ...options });
}

function checkMnistOptions({ target, task }: DataOptions): void {
  if (target !== undefined && target !== 'digit') {
    throw new DataChoiceError(`the data set 'mnist' has one target, 'digit', got '${target}'; leave the target out`);
  }
  if (task === 'number')
    throw new DataChoiceError("the data set 'mnist' is of classes, got task 'number'; leave the task out");
}

function loadFile(path: string, options: DataOptions): Promise<Table> {
  const format = formatOf(path);
  if (format === 'csv' && !path.includes('.') && !path.includes('/')) {
    const suggestion = didYouMean(path, BUILT_IN) || '; give a path that ends in .csv.';
    throw new DataChoiceError(`no data set is named '${path}'${suggestion} Built in are: ${BUILT_IN.join(', ')}`);
  }
  checkDataOptions(path, format, options);
  const { target, task, signal } = options;
  switch (format) {
    case 'csv':
      return loadCsvTable(path, { target, task, signal });
    case 'parquet':
      return loadParquetTable(path, { target, task });
    default:
      return loadArrays(path, options, task);
  }
}
