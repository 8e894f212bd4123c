import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DataError } from '#shardfit/data/data-error.js';
import { loadData } from '#shardfit/data/data-sets.js';
import { runsFit } from '#shardfit/data/parquet/run-lengths.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

const folder = await temporaryFolder();
/** A file that pyarrow wrote, see `write.py` beside it. */
const written = (name: string) => fileURLToPath(new URL(`parquet-files/${name}.parquet`, import.meta.url));

const good = await readFile(written('nan'));

/** What is wrong with a file, without its path. */
async function problem(path: string, target = 'y'): Promise<string> {
  const error = await loadData(path, { target }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message.replace(path, 'T');
}

describe('a good Parquet file', () => {
  test.each(['snappy', 'gzip-v2', 'brotli'])('of pyarrow is a table like a CSV file (%s)', async (name) => {
    const table = await loadData(written(name), { target: 'kind' });
    expect(table).toMatchObject({ rows: 60, columns: ['size', 'age', 'new'] });
    const expected = Array.from({ length: 60 }, (_, i) => [((i * 37) % 11) - 5, (i * 7) % 5, Number(i % 3 === 0)]);
    expect([...table.features]).toEqual(expected.flat());
    expect(table.target).toMatchObject({ kind: 'class', name: 'kind', classes: ['big', 'small'] });
    expect([...table.target.values]).toEqual(expected.map(([size = 0]) => (size > 0 ? 0 : 1)));
  });

  test('may have a number to predict', async () => {
    const { columns, target } = await loadData(written('numbers'), { target: 'y' });
    expect(columns).toEqual(['a']);
    expect(target).toMatchObject({ kind: 'number', values: Float32Array.of(1, 2.5, 3.5) });
  });
});

describe('a bad Parquet file ends in one message', () => {
  test.each<[string, RegExp]>([
    ['null', /^T, row 2, column 'a': is empty; fill it in or leave the row out/],
    ['nan', /^T, row 3, column 'a': is 'NaN', not a finite number/],
    ['text', /^T, row 3, column 'a': is 'old', not a number/],
    ['large', /^T, row 1, column 'a': is 1e\+39, more than a 32-bit float can hold/],
    ['lists', /^T: column 'a' holds lists or records/],
    ['dates', /^T, row 1, column 'a': is '2020-01-01T00:00:00\.000Z', not a number/],
    ['empty', /^T names its columns but has no rows/],
    ['lz4', /^T is compressed by LZ4_RAW; write it with snappy, gzip or none/],
  ])('%s', async (name, message) => {
    expect(await problem(written(name))).toMatch(message);
  });

  test('a target that is missing or unknown', async () => {
    const path = written('snappy');
    await expect(loadData(path)).rejects.toThrow(
      /name the column to predict with --target; it has: size, age, new, kind/,
    );
    await expect(loadData(path, { target: 'knid' })).rejects.toThrow(/has no column 'knid'; did you mean 'kind'\?/);
    await expect(loadData(join(folder, 'no.parquet'), { target: 'y' })).rejects.toThrow(/no\.parquet does not exist/);
  });

  const changed = (at: number, value: number) => {
    const copy = Buffer.from(good);
    copy.writeInt32LE(value, at < 0 ? copy.length + at : at);
    return copy;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ['no bytes', new Uint8Array(0), /^T is empty, not a Parquet file/],
    ['another format', Buffer.from('a,y\n1,2\n'), /^T is not a Parquet file: it does not begin with PAR1/],
    ['cut short', good.subarray(0, -9), /^T is cut short: a Parquet file ends with PAR1/],
    [
      'nothing between its ends',
      Buffer.from(`PAR1${'\0'.repeat(100)}PAR1`),
      /^T cannot be read as Parquet: its bytes make no sense; write it again/,
    ],
    ['four letters', Buffer.from('PAR1'), /^T is cut short/],
    ['a directory larger than the file', changed(-8, 2 ** 31 - 1), /^T cannot be read as Parquet: metadata length/],
    ['a directory that is none', changed(-8, 20), /^T cannot be read as Parquet/],
    [
      'a value that is repeated without end',
      changed(good.indexOf('020000000601', 'hex') + 3, 0x01fffe00),
      /^T is damaged: column 'a' repeats a value beyond the end of a page/,
    ],
    ['a damaged page', changed(4, -1), /^T cannot be read as Parquet/],
  ])('%s', async (_, content, message) => {
    expect(await problem(await newFile(folder, content, 'parquet'))).toMatch(message);
  });
});

test.each<[string, number[], number, number, boolean]>([
  ['a run to the end', [20, 1], 1, 10, true],
  ['a run beyond the end', [22, 1], 1, 10, false],
  ['a run of 2^31 values', [0xfe, 0xff, 0xff, 0xff, 0x0f, 1], 1, 10, false],
  ['a length that does not end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 1, 10, false],
  ['eights, of which the last is not full', [5, 0, 0, 0, 0, 0, 0], 3, 10, true],
  ['an eight too many', [7, 0, 0, 0, 0, 0, 0, 0, 0, 0], 3, 10, false],
  ['runs of wide values', [4, 1, 1, 16, 2, 2], 9, 10, true],
])('run lengths: %s', (_, bytes, width, most, fit) => {
  expect(runsFit(Uint8Array.from(bytes), width, most)).toBe(fit);
});
