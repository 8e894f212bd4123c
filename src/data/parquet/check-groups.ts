import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { DataError } from '../data-error.js';
import { isReadable } from './compressors.js';

/** A few bytes can stand for any number of equal values: this is as many as are kept in memory. */
const MOST_VALUES = 2 ** 29;

/**
 * Holds what a Parquet file says about its row groups against the file, before any of it is read.
 *
 * @param size of the file in bytes
 * @returns the number of rows
 * @throws DataError if it cannot be, has no rows, or is packed in a way that cannot be unpacked.
 */
export function checkGroups(path: string, metadata: FileMetaData, size: number): number {
  const rows = Number(metadata.num_rows);
  const groups = metadata.row_groups;
  const damaged = (what: string) => new DataError(`${path} is damaged: ${what}; copy or write it again`);
  if (rows === 0) throw new DataError(`${path} names its columns but has no rows`);
  const sum = groups.reduce((total, group) => total + Number(group.num_rows), 0);
  if (sum !== rows || groups.some((group) => group.num_rows < 0n)) {
    throw damaged(`it announces ${rows} rows, and ${sum} in its row groups`);
  }
  const columns = Math.max(...groups.map((group) => group.columns.length));
  if (rows * columns > MOST_VALUES) {
    throw new DataError(
      `${path} announces ${rows} rows of ${columns} columns, more than fit in memory; take a part of it`,
    );
  }
  for (const { columns } of groups) {
    for (const { meta_data: column } of columns) {
      if (!column) throw new DataError(`${path} has columns in other files; write it as one file`);
      checkCodec(path, column);
      const start = Number(column.dictionary_page_offset || column.data_page_offset);
      if (start < 0 || start + Number(column.total_compressed_size) > size) {
        throw damaged(`column '${column.path_in_schema.join('.')}' lies beyond its end`);
      }
    }
  }
  return rows;
}

function checkCodec(path: string, { codec }: ColumnMetaData): void {
  if (isReadable(codec)) return;
  const node = codec === 'ZSTD' ? ', which needs Node 22.15 or later' : '';
  throw new DataError(`${path} is compressed by ${codec}${node}; write it with snappy, gzip or none`);
}
