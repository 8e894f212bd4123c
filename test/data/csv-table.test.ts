import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadCsvTable } from '#shardfit/data/csv-table.js';
import { DataError } from '#shardfit/data/data-error.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

const folder = await temporaryFolder();

async function load(content: string | Uint8Array, target: string | undefined = 'y', task?: 'class' | 'number') {
  return loadCsvTable(await newFile(folder, content), { target, ...(task && { task }), name: 'T' });
}

/** The message of the DataError that loading ends in. */
async function problem(content: string | Uint8Array, target?: string | undefined, task?: 'class' | 'number') {
  const error = await load(content, target, task).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('a good CSV file', () => {
  test.each([
    ['LF', 'a,b,y\n1,2,3\n4,5,6\n'],
    ['CRLF', 'a,b,y\r\n1,2,3\r\n4,5,6\r\n'],
    ['LF and CRLF', 'a,b,y\n1,2,3\r\n4,5,6'],
    ['a byte order mark', '\ufeffa,b,y\r\n1,2,3\r\n4,5,6\r\n'],
    ['quotes', '"a","b","y"\n"1",2,"3"\n4,"5",6\n'],
    ['white space and blank lines', ' a , b,y\n\n 1, 2 ,3\n\n4,5,6\n\n'],
    ['signs and exponents', 'a,b,y\n+1,0.2e1,3\n4.,50E-1,6\n'],
  ])('is read with %s', async (_, content) => {
    const table = await load(content);
    expect(table).toMatchObject({ rows: 2, columns: ['a', 'b'], target: { kind: 'number', name: 'y' } });
    expect([...table.features]).toEqual([1, 2, 4, 5]);
    expect([...table.target.values]).toEqual([3, 6]);
  });

  test('is read no further once a signal says so', async () => {
    const path = await newFile(folder, 'a,b,y\n1,2,3\n4,5,6\n');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(loadCsvTable(path, { target: 'y', signal })).rejects.toThrow('enough');
  });

  test('may have its target anywhere, and be gzipped', async () => {
    const path = await newFile(folder, gzipSync('a,y,b\n1,3,2\n4,6,5\n'), 'csv.gz');
    const table = await loadCsvTable(path, { target: 'y' });
    expect([...table.features]).toEqual([1, 2, 4, 5]);
    expect([...table.target.values]).toEqual([3, 6]);
  });

  test('keeps numbers that float32 would round', async () => {
    const table = await load('time,y\n1700000000001,1\n1700000000002,2\n');
    expect([...table.features]).toEqual([1700000000001, 1700000000002]);
  });

  test('larger than one chunk of the stream keeps its line numbers', async () => {
    const rows = Array.from({ length: 30_000 }, (_, row) => `${row},${row / 2}`);
    rows[25_000] = '1,2,3';
    expect(await problem(`a,y\r\n${rows.join('\r\n')}\r\n`)).toContain('line 25002:');
  });
});

describe('a bad CSV file is explained', () => {
  test.each([
    ['a short row', 'a,b,y\n1,2,3\n4,5\n', /^T, line 3: expected 3 cells .* got 2/],
    ['a long row', 'a,b,y\n1,2,3,4\n', /^T, line 2: expected 3 cells .* got 4/],
    ['a short row behind CRLF and blank lines', 'a,y\r\n\r\n1,2\r\n3\r\n', /^T, line 4:/],
    ['a short row behind a quoted line break', 'a,y\r\n1,"x\r\ny"\r\n3\r\n', /^T, line 4:/],
    ['text among numbers', 'age,y\n1,2\nold,3\n', /^T, line 3, column 'age': is 'old', not a number/],
    ['NaN', 'a,y\nNaN,1\n', /^T, line 2, column 'a': is 'NaN', not a finite number/],
    ['Infinity', 'a,y\n1,1\n-inf,1\n', /^T, line 3, column 'a': is '-inf', not a finite number/],
    ['a number too large', 'a,y\n1e39,1\n', /^T, line 2, column 'a': is 1e39, more than a 32-bit float can hold/],
    ['an empty cell', 'a,b,y\n1,,1\n', /^T, line 2, column 'b': is empty/],
    ['an empty target', 'a,y\n1,2\n1,\n', /^T, line 3, column 'y' \(the target\): is empty/],
    ['a hexadecimal number', 'a,y\n0x10,1\n', /not a number/],
    ['a word in a column of numbers to predict', 'a,y\n1,2\n2,3\n3,none\n', /^T, line 4, column 'y' \(the target\)/],
    ['no content', '', /is empty; its first line must name the columns/],
    ['blank lines only', '\n\n', /is empty; its first line must name the columns/],
    ['no rows', 'a,y\n', /names its columns but has no rows/],
    ['no header', '1,2\n3,4\n', /first line must name the columns, but it holds numbers \(1, 2\)/],
    ['a column twice', 'a,a,y\n1,2,3\n', /two columns are named 'a'/],
    ['a column without a name', ',a,y\n1,2,3\n', /column 1 has no name/],
    ['the target alone', 'y\n1\n2\n', /'y' is the only column/],
    ['one class', 'a,y\n1,same\n2,same\n', /holds one class only, 'same'/],
    ['semicolons', 'a;y\n1;2\n', /separated by ';'; save the file with commas/],
    ['tabs', 'a\ty\n1\t2\n', /separated by tabs/],
    ['an open quote', 'a,y\n1,"2\n', /line 2: a quote \("\) opens in the row that begins here and never closes/],
    ['an open quote far from the end', 'a,y\n1,2\n\n3,4\n\n5,"6\n7,8\n9,10\n', /line 6: a quote .* never closes/],
    ['an open quote in the first line', '"a,y\n1,2\n', /line 1: a quote .* never closes/],
    [
      'an open quote before another',
      'a,y\n1,"2\n3,4\n5,"6"\n',
      /line 2: a quote .* or one is not closed before line 4/,
    ],
    ['a quote inside a cell', 'a,y\n1"x,2\n', /line 2: a quote \("\) stands inside a cell/],
  ])('%s', async (_, content, message) => {
    expect(await problem(content)).toMatch(message);
  });

  test('an open quote behind many rows', async () => {
    const rows = Array.from({ length: 30_000 }, (_, row) => `${row},${row / 2}`);
    rows[25_000] = '1,"2';
    expect(await problem(`a,y\n${rows.join('\n')}\n`)).toContain('line 25002:');
  });

  test('binary data', async () => {
    expect(await problem(new Uint8Array([65, 0, 66, 0]))).toMatch(/binary data/);
    expect(await problem(new Uint8Array([0xff, 0xfe, 65, 66]))).toMatch(/not UTF-8 text/);
  });

  test('an unknown target names the nearest column and all of them', async () => {
    const message = await problem('age,weight,height\n1,2,3\n', 'wieght');
    expect(message).toBe("T has no column 'wieght'; did you mean 'weight'? It has: age, weight, height");
    expect(await problem('age,weight\n1,2\n', 'colour')).toBe("T has no column 'colour'. It has: age, weight");
  });

  test('a missing target lists the columns', async () => {
    const path = await newFile(folder, 'age,weight\n1,2\n');
    await expect(loadCsvTable(path, {})).rejects.toThrow(/--target; it has: age, weight/);
  });

  test('a missing file, a folder', async () => {
    await expect(loadCsvTable(join(folder, 'no.csv'), { target: 'y' })).rejects.toThrow(/no\.csv does not exist/);
    await expect(loadCsvTable(folder, { target: 'y' })).rejects.toThrow(/is a folder, not a CSV file/);
  });
});
