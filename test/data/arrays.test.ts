import { describe, expect, test } from 'vitest';
import type { DataOptions } from '#shardfit/data/data-options.js';
import { loadData } from '#shardfit/data/data-sets.js';
import { fitsShape } from '#shardfit/data/row-shape.js';
import { imageLabels, images, npy } from './array-files.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

const folder = await temporaryFolder();
const file = (content: Uint8Array, extension = 'npy') => newFile(folder, content, extension);

const rows = await file(npy({ shape: [4, 1, 2], bytes: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) }));
const classes = await file(npy({ descr: '<i8', shape: [4], bytes: BigInt64Array.of(30n, -2n, 30n, 7n) }));
const numbers = await file(npy({ shape: [4, 1], bytes: Float32Array.of(1, 2, 1, 2) }));

describe('arrays as a table', () => {
  test('rows are flat, and their shape is kept', async () => {
    const table = await loadData(rows, { labels: numbers });
    expect(table).toMatchObject({ rows: 4, columns: ['x_0', 'x_1'], rowShape: [1, 2] });
    expect([...table.features]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('whole numbers by their type are classes, floats are numbers, and the task says otherwise', async () => {
    const { target } = await loadData(rows, { labels: classes });
    expect(target).toMatchObject({ kind: 'class', name: 'y', classes: ['-2', '7', '30'] });
    expect([...target.values]).toEqual([2, 0, 2, 1]);
    const asNumbers = await loadData(rows, { labels: classes, task: 'number' });
    expect(asNumbers.target).toMatchObject({ kind: 'number', values: Float32Array.of(30, -2, 30, 7) });
    expect((await loadData(rows, { labels: numbers })).target.kind).toBe('number');
    const asClasses = await loadData(rows, { labels: numbers, task: 'class' });
    expect(asClasses.target).toMatchObject({ kind: 'class', classes: ['1', '2'] });
  });

  test('images are scaled to [0, 1], with columns as in the built-in mnist', async () => {
    const table = await loadData(await file(images(4), 'idx3-ubyte'), {
      labels: await file(imageLabels(4), 'idx1-ubyte'),
    });
    expect(table.columns.slice(3, 6)).toEqual(['pixel_0_3', 'pixel_1_0', 'pixel_1_1']);
    expect(table.features[16]).toBeCloseTo(202 / 255, 6);
    expect(Math.max(...table.features)).toBeLessThanOrEqual(1);
    expect(table.target).toMatchObject({ kind: 'class', classes: ['0', '1'] });
  });
});

describe('arrays that do not go together end in one message', () => {
  const three = npy({ descr: '|u1', shape: [3], bytes: Uint8Array.of(0, 1, 2) });
  const oneHot = npy({ descr: '|u1', shape: [4, 2], bytes: Uint8Array.of(0, 1, 0, 1, 1, 0, 1, 0) });
  const same = npy({ descr: '|u1', shape: [4], bytes: Uint8Array.of(5, 5, 5, 5) });
  test.each<[string, Uint8Array, RegExp]>([
    ['another number of labels', three, /npy has 4 rows and .*npy has 3 labels: each row needs one/],
    ['one-hot labels', oneHot, /has the shape \[4,2\], but labels are one number for each row; .* numpy\.argmax/],
    ['one class', same, /target column 'y' holds one class only, '5'/],
  ])('%s', async (_, content, message) => {
    const loading = loadData(rows, { labels: await file(content) });
    await expect(loading).rejects.toMatchObject({ name: 'DataError', message: expect.stringMatching(message) });
  });

  test('one row of very many values', async () => {
    const wide = await file(npy({ descr: '|u1', shape: [1, 5_000_000], bytes: new Uint8Array(5_000_000) }));
    const one = await file(npy({ shape: [1] }));
    await expect(loadData(wide, { labels: one })).rejects.toThrow(/has rows of 5000000 values, more than 4194304/);
  });

  test.each<[string, string, DataOptions, RegExp]>([
    ['no labels', rows, {}, /npy holds rows without labels; name the file of the labels with --labels/],
    ['a target', rows, { labels: classes, target: 'y' }, /--target does not go with .*npy; an npy file takes --labels/],
    ['labels of a table', 'a.csv', { labels: classes }, /--labels does not go with a\.csv; a table takes --target/],
    ['labels of built-in data', 'digits', { labels: classes }, /--labels does not go with digits/],
    ['labels in a table', rows, { labels: 'a.csv' }, /--labels a\.csv must be an \.npy or IDX file/],
  ])('%s', async (_, data, options, message) => {
    const error = { name: 'DataChoiceError', message: expect.stringMatching(message) };
    await expect(loadData(data, options)).rejects.toMatchObject(error);
  });
});

test.each<[number[], (number | null)[], boolean]>([
  [[28, 28], [28, 28, 1], true],
  [[28, 28], [784], true],
  [[784], [28, 28, 1], true],
  [[3, 32, 16], [32, 16, 3], false],
  [[28, 28], [14, 56], false],
  [[28, 28, 1], [null, 28, 1], true],
])('rows of shape %j fit an input of shape %j: %s', (row, input, fits) => {
  expect(fitsShape(row, input)).toBe(fits);
});
