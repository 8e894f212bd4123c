import { type RowChoice, type RowPiece, rowViews } from '../row-piece.js';
import { findColumns } from '../table-columns.js';
import { openParquet, readRowGroups } from './parquet-file.js';
import { cellOf, readFeatures } from './parquet-table.js';

/**
 * Reads some columns of a Parquet file by name, a row group at a time.
 *
 * @throws DataError for a column that is missing, or that names the row and column of a value that is no number.
 */
export async function* readParquetFeatures(path: string, { columns, target }: RowChoice): AsyncGenerator<RowPiece> {
  const opened = await openParquet(path);
  const wanted = target === undefined ? columns : [...columns, target];
  findColumns(path, opened.names, wanted);
  for await (const group of readRowGroups(opened, wanted)) {
    const rows = rowViews(readFeatures(path, columns, group), columns.length);
    const cells = target === undefined ? [] : Array.from(group.columns[columns.length] ?? [], cellOf);
    yield { rows, cells, places: rows.map((_, row) => `row ${group.start + row + 1}`) };
  }
}
