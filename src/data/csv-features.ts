import { checkWidth, readCsvRecords } from './csv-records.js';
import { DataError } from './data-error.js';
import { readNumber } from './number-cell.js';
import type { RowChoice, RowPiece } from './row-piece.js';
import { findColumns } from './table-columns.js';

/**
 * Reads some columns of a CSV file by name, whatever their order and whatever other columns there are, a piece at a time.
 *
 * @param most rows of a piece
 * @throws DataError for a column that is missing or there twice, or that names the line and column of a cell that is no number, or
 * the line of a row with too few or too many of them.
 */
export async function* readCsvFeatures(path: string, choice: RowChoice, most: number): AsyncGenerator<RowPiece> {
  const { columns, target } = choice;
  let places: number[] | undefined;
  let width = 0;
  let targetPlace = -1;
  let piece: RowPiece = { rows: [], cells: [], places: [] };
  let count = 0;
  for await (const record of readCsvRecords(path)) {
    const { cells, line } = record;
    if (!places) {
      width = cells.length;
      places = findColumns(path, cells, columns);
      if (target !== undefined) [targetPlace = -1] = findColumns(path, cells, [target]);
      continue;
    }
    checkWidth(path, record, width);
    piece.rows.push(places.map((place, i) => numberAt(path, line, columns[i] as string, cells[place] as string)));
    if (target !== undefined) piece.cells.push(cells[targetPlace] as string);
    piece.places.push(`line ${line}`);
    count++;
    if (piece.rows.length === most) {
      yield piece;
      piece = { rows: [], cells: [], places: [] };
    }
  }
  if (count === 0) throw new DataError(`${path} has no rows below the line that names its columns`);
  if (piece.rows.length > 0) yield piece;
}

function numberAt(path: string, line: number, column: string, cell: string): number {
  const value = readNumber(cell);
  if (typeof value === 'number') return value;
  throw new DataError(`${path}, line ${line}, column '${column}' ${value.problem}`);
}
