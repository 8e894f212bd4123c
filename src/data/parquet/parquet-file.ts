import { open } from 'node:fs/promises';
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type ColumnData,
  type DecodedArray,
  type FileMetaData,
  type RowGroup as MetadataGroup,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { DataError } from '../data-error.js';
import { fileError, sizeOfFile } from '../data-file.js';
import { checkGroups } from './check-groups.js';
import { problemOfPages } from './check-pages.js';
import { COMPRESSORS } from './compressors.js';

/** A Parquet file whose directory has been read and checked. */
export interface ParquetFile {
  path: string;
  /** Names of the columns, in their order. */
  names: string[];
  rows: number;
  file: AsyncBuffer;
  metadata: FileMetaData;
}

/** Rows that lie together in the file. */
export interface RowGroup {
  /** Number of its first row, from 0. */
  start: number;
  rows: number;
  /** The columns that were asked for, in that order, each of `rows` values. */
  columns: DecodedArray[];
}

const MAGIC = 'PAR1';

/**
 * Opens a Parquet file.
 *
 * @throws DataError if it is missing, a folder, no Parquet file, cut short, damaged, or without rows.
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const size = await sizeOfFile(path, 'a Parquet file');
  if (size === 0) throw new DataError(`${path} is empty, not a Parquet file; write it again`);
  const [first, last] = await ends(path, size);
  if (first !== MAGIC) {
    throw new DataError(`${path} is not a Parquet file: it does not begin with ${MAGIC}; is it what its name says?`);
  }
  if (last !== MAGIC || size < 12) {
    throw new DataError(`${path} is cut short: a Parquet file ends with ${MAGIC}; copy or write it again`);
  }
  const file = await asyncBufferFromFile(path);
  try {
    const metadata = await parquetMetadataAsync(file);
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    return { path, names, rows: checkGroups(path, metadata, size), file, metadata };
  } catch (error) {
    throw damaged(path, error);
  }
}

/** The first and the last four letters. */
async function ends(path: string, size: number): Promise<[string, string]> {
  try {
    await using handle = await open(path);
    const read = async (at: number) => (await handle.read(Buffer.alloc(4), 0, 4, at)).buffer.toString('latin1');
    return [await read(0), await read(Math.max(0, size - 4))];
  } catch (error) {
    throw fileError(path, error);
  }
}

/**
 * Reads some columns, a row group at a time.
 *
 * @throws DataError for a column with values inside of values, or a row group that cannot be read.
 */
export async function* readRowGroups(opened: ParquetFile, columns: string[]): AsyncGenerator<RowGroup> {
  const { path, metadata } = opened;
  const { children } = parquetSchema(metadata);
  for (const name of columns) checkFlat(path, children.find(({ element }) => element.name === name) as SchemaTree);
  let start = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (rows > 0) await checkPages(opened, group, columns);
    if (rows > 0) yield { start, rows, columns: await readGroup(opened, columns, start, rows) };
    start += rows;
  }
}

async function checkPages({ path, file, metadata }: ParquetFile, group: MetadataGroup, names: string[]): Promise<void> {
  const { children } = parquetSchema(metadata);
  for (const { meta_data: column } of group.columns) {
    const name = column?.path_in_schema[0] as string;
    if (!column || !names.includes(name)) continue;
    const start = Number(column.dictionary_page_offset || column.data_page_offset);
    const { element } = children.find((child) => child.element.name === name) as SchemaTree;
    let problem: string | undefined;
    try {
      const bytes = await file.slice(start, start + Number(column.total_compressed_size));
      const optional = element.repetition_type !== 'REQUIRED';
      problem = problemOfPages({ bytes, column, optional, rows: Number(group.num_rows) });
    } catch (error) {
      throw damaged(path, error);
    }
    if (problem !== undefined) throw new DataError(`${path} is damaged: column '${name}' ${problem}; write it again`);
  }
}

async function readGroup(
  { path, file, metadata }: ParquetFile,
  columns: string[],
  rowStart: number,
  rows: number,
): Promise<DecodedArray[]> {
  const pieces = new Map<string, DecodedArray[]>(columns.map((name) => [name, []]));
  const onChunk = ({ columnName, columnData }: ColumnData) => {
    pieces.get(columnName)?.push(columnData);
  };
  const range = { rowStart, rowEnd: rowStart + rows };
  try {
    await parquetRead({ file, metadata, columns, ...range, compressors: COMPRESSORS, onChunk });
  } catch (error) {
    throw damaged(path, error);
  }
  return columns.map((name) => {
    const parts = pieces.get(name) ?? [];
    const got = parts.reduce((sum, { length }) => sum + length, 0);
    if (got !== rows) {
      throw new DataError(
        `${path} is damaged: column '${name}' should have ${rows} values, got ${got}; write it again`,
      );
    }
    return parts.length === 1 ? (parts[0] as DecodedArray) : parts.flatMap((part) => Array.from(part));
  });
}

function checkFlat(path: string, { element, children }: SchemaTree): void {
  if (children.length === 0 && element.repetition_type !== 'REPEATED') return;
  throw new DataError(`${path}: column '${element.name}' holds lists or records; write one number to a column`);
}

function damaged(path: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  // hyparquet's own messages are plain errors; others say where in its code the damage was met.
  const met = error instanceof TypeError || error instanceof RangeError;
  const message = met ? 'its bytes make no sense' : (error as Error).message.replace(/^parquet /, '');
  return new DataError(`${path} cannot be read as Parquet: ${message}; write it again`);
}
