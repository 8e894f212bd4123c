import { arrayFeatures, type ModelRows } from './arrays/array-features.js';
import { loadRows, loadRowsAndLabels } from './arrays/load-arrays.js';
import { readCsvFeatures } from './csv-features.js';
import { formatOf } from './data-format.js';
import { checkDataOptions, type DataOptions } from './data-options.js';
import { isBuiltIn, loadData } from './data-sets.js';
import { readParquetFeatures } from './parquet/parquet-features.js';
import { type RowPiece, rowViews } from './row-piece.js';
import type { Target } from './table.js';
import { findColumns } from './table-columns.js';

/** Rows that are read of a CSV file at a time. */
const PIECE = 1024;

/**
 * Reads what a saved model takes from a file of any format, a piece at a time.
 *
 * @param options where labels are, for arrays
 * @param target with `labelled`: the column that was to be predicted, of a table; else only the rows are read
 * @throws DataError that says what is wrong with the data, where, and what to do; the signal's reason, between two pieces.
 */
export async function* readFeatureRows(
  path: string,
  model: ModelRows,
  options: DataOptions,
  target?: string,
): AsyncGenerator<RowPiece> {
  for await (const piece of piecesOf(path, model, options, target)) {
    options.signal?.throwIfAborted();
    yield piece;
  }
}

async function* piecesOf(
  path: string,
  model: ModelRows,
  options: DataOptions,
  target: string | undefined,
): AsyncGenerator<RowPiece> {
  if (target !== undefined && isBuiltIn(path)) return yield builtInRows(path, model, target);
  const format = formatOf(path);
  checkDataOptions(path, format, options);
  const { columns } = model;
  if (format === 'csv') return yield* readCsvFeatures(path, { columns, target }, PIECE);
  if (format === 'parquet') return yield* readParquetFeatures(path, { columns, target });
  const [x, y] = target === undefined ? [await loadRows(path, options)] : await loadRowsAndLabels(path, options);
  yield arrayFeatures(x, y, model);
}

/** All rows of a built-in data set, whose columns must be those of the model in that order. */
async function builtInRows(name: string, { columns }: ModelRows, target: string): Promise<RowPiece> {
  const table = await loadData(name, { target });
  const places = findColumns(name, table.columns, columns);
  const rows = rowViews(table.features, table.columns.length);
  return {
    rows: rows.map((row) => places.map((place) => row[place] as number)),
    cells: cellsOf(table.target),
    places: rows.map((_, row) => `row ${row + 1}`),
  };
}

function cellsOf(target: Target): string[] {
  if (target.kind === 'number') return Array.from(target.values, String);
  return Array.from(target.values, (label) => target.classes[label] as string);
}
