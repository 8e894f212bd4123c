import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Info, parse } from 'csv-parse';
import { DataError } from './data-error.js';
import { fileError, sizeOfFile } from './data-file.js';

/** Characters of a line or record at most: a row of a million numbers has fewer. A small .gz may hold a line without an end. */
const MOST_OF_RECORD = 2 ** 24;
/** Characters of white space, lines or none, that may follow each other. */
const MOST_BLANK = 2 ** 22;

/** One record of a CSV file. */
export interface CsvRecord {
  /** Cells, without the white space around them. */
  cells: string[];
  /** Line of the file on which the record ends, from 1. */
  line: number;
}

/** @throws DataError for a record with other than `width` cells, which the first line has. */
export function checkWidth(source: string, { cells, line }: CsvRecord, width: number): void {
  if (cells.length === width) return;
  throw new DataError(
    `${source}, line ${line}: expected ${width} cells as in the first line, got ${cells.length}; every row must have the same columns`,
  );
}

/**
 * Reads a CSV file (or a gzipped one, `.gz`) record by record: commas, RFC 4180 quotes, LF or CRLF, with or without a byte
 * order mark. Blank lines are passed over.
 *
 * @throws DataError if the file is missing, a folder, unreadable, not UTF-8 text, its quotes do not close, or a line of it or the
 * room between two of them has no end in sight.
 */
export async function* readCsvRecords(path: string): AsyncGenerator<CsvRecord> {
  if ((await sizeOfFile(path, 'a CSV file')) === 0) {
    throw new DataError(`${path} is empty; its first line must name the columns`);
  }
  let last = { lines: 0, empty_lines: 0 };
  const parser = parse({
    // Called at once, where the records below come when there is time for them, or never, if an error overtakes them.
    on_record: (record, context) => {
      last = context;
      return record;
    },
    trim: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MOST_OF_RECORD,
    record_delimiter: '\n',
  });
  const text = Readable.from(decode(path));
  text.on('error', (error) => parser.destroy(error));
  try {
    for await (const { record, info } of text.pipe(parser)) yield { cells: record, line: info.lines };
  } catch (error) {
    // A quote that is not closed swallows lines: it stands in the row behind the last one that could be read.
    const { empty_lines } = { ...last, ...(error as Partial<Info>) };
    throw explain(path, error, last.lines + empty_lines - last.empty_lines + 1);
  } finally {
    text.destroy();
  }
}

/** Text of the file in pieces, with every line ending as LF: the parser would count the CR and LF inside quotes twice. */
async function* decode(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const file = createReadStream(path);
  const bytes = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => bytes.destroy(error));
  let heldBack = '';
  const checkLengths = lengthLimits(path);
  try {
    for await (const chunk of bytes) {
      const text = heldBack + decoder.decode(chunk, { stream: true });
      if (text.includes('\0'))
        throw new DataError(`${path} is not a CSV file: it holds binary data; save it as CSV in UTF-8`);
      // A CR at the end of a chunk may be the first half of a CRLF.
      heldBack = text.endsWith('\r') ? '\r' : '';
      const lines = (heldBack ? text.slice(0, -1) : text).replace(/\r\n?/g, '\n');
      checkLengths(lines);
      yield lines;
    }
    yield heldBack.replace('\r', '\n') + decoder.decode();
  } finally {
    file.destroy();
  }
}

/** Takes in the pieces of a text, and throws once a line or white space in it has become too long. */
function lengthLimits(path: string): (text: string) => void {
  let [line, blank] = [0, 0];
  return (text) => {
    const behind = text.length - 1 - text.lastIndexOf('\n');
    line = behind === text.length ? line + behind : behind;
    blank = text.trim() === '' ? blank + text.length : 0;
    if (blank > MOST_BLANK)
      throw new DataError(`${path} has millions of blank lines or spaces in a row; take them out`);
    if (line > MOST_OF_RECORD) {
      throw new DataError(
        `${path} has a line of more than ${MOST_OF_RECORD / 2 ** 20} million characters; give each row a line of its own`,
      );
    }
  };
}

/** @param row line on which the row begins that could not be read. */
function explain(path: string, error: unknown, row: number): Error {
  const { code } = error as NodeJS.ErrnoException;
  const { lines: end } = { lines: row, ...(error as Partial<Info>) };
  switch (code) {
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return new DataError(`${path} is not UTF-8 text; save it as CSV in UTF-8`);
    case 'CSV_QUOTE_NOT_CLOSED':
      return new DataError(
        `${path}, line ${row}: a quote (") opens in the row that begins here and never closes; add the closing quote`,
      );
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'INVALID_OPENING_QUOTE':
      return new DataError(
        `${path}, line ${row}: a quote (") stands inside a cell${end > row ? `, or one is not closed before line ${end}` : ''}; quote the whole cell and write "" for a quote in it`,
      );
    case 'CSV_MAX_RECORD_SIZE':
      return new DataError(
        `${path}, line ${row}: a row of more than ${MOST_OF_RECORD / 2 ** 20} million characters begins here; close every quote`,
      );
    default:
      return fileError(path, error);
  }
}
