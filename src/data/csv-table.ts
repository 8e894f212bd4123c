import { type CsvRecord, checkWidth, readCsvRecords } from './csv-records.js';
import { DataError } from './data-error.js';
import { isNumberText, readNumber, shorten } from './number-cell.js';
import { joinRows, type Table, type Task } from './table.js';
import { findTarget } from './table-columns.js';
import { readTarget } from './target.js';

export interface CsvTableOptions {
  /** Name of the column to predict. All the others are features. */
  target?: string | undefined;
  /** What the target is; by default the column tells, see `readTarget`. */
  task?: Task | undefined;
  /** How the table is called in messages. Default: its path. */
  name?: string;
  /** Ends the reading. */
  signal?: AbortSignal | undefined;
}

/**
 * Loads a CSV file whose first line names the columns; all but the target must be numbers.
 *
 * @throws DataError that names the line and the column of the first cell that is not as it must be; the signal's reason.
 */
export async function loadCsvTable(path: string, options: CsvTableOptions): Promise<Table> {
  const source = options.name ?? path;
  let header: Header | undefined;
  const features: Float64Array[] = [];
  const cells: string[] = [];
  const lines: number[] = [];
  for await (const record of readCsvRecords(path)) {
    options.signal?.throwIfAborted();
    if (header === undefined) {
      header = readHeader(source, record, options.target);
      continue;
    }
    features.push(readFeatures(source, header, record));
    cells.push(record.cells[header.target] as string);
    lines.push(record.line);
  }
  if (header === undefined) throw new DataError(`${source} is empty; its first line must name the columns`);
  if (cells.length === 0) throw new DataError(`${source} names its columns but has no rows below them`);
  const columns = header.names.filter((_, index) => index !== header.target);
  const name = header.names[header.target] as string;
  const target = readTarget({ source, name, cells, lines }, options.task);
  return { name: source, rows: cells.length, columns, features: joinRows(features), target };
}

interface Header {
  names: string[];
  /** Index of the target column. */
  target: number;
}

function readHeader(source: string, { cells: names }: CsvRecord, targetName: string | undefined): Header {
  if (names.every(isNumberText)) {
    throw new DataError(
      `${source}: the first line must name the columns, but it holds numbers (${shorten(names.join(', '))}); add a line of names`,
    );
  }
  checkSeparator(source, names, targetName);
  return { names, target: findTarget(source, names, targetName) };
}

function checkSeparator(source: string, names: string[], wanted: string | undefined): void {
  const [only = ''] = names;
  const separator = [';', '\t', '|'].find((candidate) => only.includes(candidate));
  if (names.length > 1 || separator === undefined || wanted === undefined || only === wanted) return;
  const shown = separator === '\t' ? 'tabs' : `'${separator}'`;
  throw new DataError(`${source}: the columns seem to be separated by ${shown}; save the file with commas`);
}

function readFeatures(source: string, { names, target }: Header, record: CsvRecord): Float64Array {
  checkWidth(source, record, names.length);
  const { cells, line } = record;
  const row = new Float64Array(names.length - 1);
  for (let index = 0, feature = 0; index < cells.length; index++) {
    if (index === target) continue;
    const value = readNumber(cells[index] as string);
    if (typeof value !== 'number')
      throw new DataError(`${source}, line ${line}, column '${names[index]}': ${value.problem}`);
    row[feature++] = value;
  }
  return row;
}
