import type { ColumnMetaData, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { COMPRESSORS } from './compressors.js';
import { runsFit } from './run-lengths.js';

/** A column of a row group, whose values are numbers, text or booleans, or missing. */
export interface ColumnPages {
  /** The bytes of all its pages. */
  bytes: ArrayBuffer;
  column: ColumnMetaData;
  /** Whether values can be missing. */
  optional: boolean;
  /** Values that it should have. */
  rows: number;
}

/**
 * What is wrong with the pages of a column, if anything is. hyparquet takes the numbers of values and of repetitions in them
 * for true, and would fill the memory with as many.
 *
 * https://parquet.apache.org/docs/file-format/data-pages/
 */
export function problemOfPages({ bytes, column, optional, rows }: ColumnPages): string | undefined {
  const reader = { view: new DataView(bytes), offset: 0 };
  let seen = 0;
  while (seen < rows && reader.offset < bytes.byteLength - 1) {
    const header = parquetHeader(reader);
    const size = header.compressed_page_size;
    if (!(size >= 0 && reader.offset + size <= bytes.byteLength)) return 'has a page beyond its end';
    const data = header.data_page_header ?? header.data_page_header_v2;
    const values = data?.num_values ?? 0;
    if (!(values >= 0 && seen + values <= rows)) return `has a page of ${values} values in ${rows} rows`;
    const page = new Uint8Array(bytes, reader.offset, size);
    if (!pageFits(page, header, column, optional)) return 'repeats a value beyond the end of a page';
    seen += values;
    reader.offset += size;
  }
  return seen === rows ? undefined : `should have ${rows} values, got ${seen}`;
}

/** Whether all that is repeated in a page ends with its values. */
function pageFits(packed: Uint8Array, header: PageHeader, column: ColumnMetaData, optional: boolean): boolean {
  const { data_page_header: first, data_page_header_v2: second, uncompressed_page_size: size } = header;
  const unpack = (bytes: Uint8Array, length: number) => decompressPage(bytes, length, column.codec, COMPRESSORS);
  if (first) {
    const page = unpack(packed, size);
    const levels = optional ? levelsOf(page) : page.subarray(0, 0);
    const values = page.subarray(optional ? 4 + levels.length : 0);
    if (optional && !runsFit(levels, 1, first.num_values)) return false;
    return !isDictionary(first.encoding) || indicesFit(values, first.num_values);
  }
  if (!second) return true;
  const start = second.repetition_levels_byte_length + second.definition_levels_byte_length;
  const levels = packed.subarray(second.repetition_levels_byte_length, start);
  if (optional && !runsFit(levels, 1, second.num_values)) return false;
  const rest = packed.subarray(start);
  const values = second.is_compressed === false ? rest : unpack(rest, size - start);
  return !isDictionary(second.encoding) || indicesFit(values, second.num_values);
}

/** What is told of missing values: a length, and that many bytes. */
function levelsOf(page: Uint8Array): Uint8Array {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  return page.subarray(4, 4 + view.getUint32(0, true));
}

function isDictionary(encoding: string): boolean {
  return encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY';
}

/** Places in a dictionary: how many bits each has, and their runs. There are fewer than `most` if values are missing. */
function indicesFit(bytes: Uint8Array, most: number): boolean {
  const [width = 0] = bytes;
  return width <= 32 && runsFit(bytes.subarray(1), width, most);
}
