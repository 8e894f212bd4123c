import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadIdx } from '#shardfit/data/arrays/idx.js';
import { DataError } from '#shardfit/data/data-error.js';
import { idx } from './array-files.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

const folder = await temporaryFolder();
const load = async (content: Uint8Array) => loadIdx(await newFile(folder, content, 'idx'));

describe('a good IDX file', () => {
  test('of images, gzipped or not', async () => {
    const file = idx(8, [2, 2, 2], Uint8Array.of(0, 255, 1, 2, 3, 4, 5, 6));
    for (const content of [file, gzipSync(file)]) {
      const array = await load(content);
      expect(array).toMatchObject({ shape: [2, 2, 2], integer: true, pixels: true });
      expect([...array.values]).toEqual([0, 255, 1, 2, 3, 4, 5, 6]);
    }
  });

  test('of labels, which are no pixels', async () => {
    expect(await load(idx(8, [3], Uint8Array.of(7, 0, 9)))).toMatchObject({ shape: [3], integer: true, pixels: false });
  });

  test.each<[string, number, number[], number[], boolean]>([
    ['signed bytes', 0x09, [0xff, 2], [-1, 2], true],
    ['16 bits', 0x0b, [0xff, 0xfe, 0x01, 0x00], [-2, 256], true],
    ['32 bits', 0x0c, [0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0], [-3, 65536], true],
    ['floats', 0x0d, [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], [1.5, -2], false],
    ['doubles', 0x0e, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2], false],
  ])('of %s, big-endian', async (_, type, bytes, expected, integer) => {
    const array = await load(idx(type, [2], Uint8Array.from(bytes)));
    expect([...array.values]).toEqual(expected);
    expect(array.integer).toBe(integer);
  });
});

describe('a bad IDX file ends in one message', () => {
  const good = idx(8, [2, 2, 2], new Uint8Array(8));
  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /^T is empty, not an IDX file/],
    ['another format', Buffer.from('<html>'), /^T is not an IDX file: its first bytes are 3c68746d, not 0000/],
    ['an unknown type', idx(10, [2], new Uint8Array(2)), /^T is not an IDX file: its first bytes are 00000a01/],
    ['cut in the header', good.subarray(0, 9), /^T is cut short in its header/],
    ['cut in the values', good.subarray(0, -1), /^T holds 23 bytes, but its header announces 24: it is cut short/],
    ['more behind the values', Buffer.concat([good, good]), /^T holds more than the 24 bytes/],
    ['no rows', idx(8, [0, 2, 2], new Uint8Array(0)), /^T is an array of shape \[0,2,2\], which has no values/],
    ['no axes', idx(8, [], new Uint8Array(1)), /^T holds a single number/],
    ['sizes without end', idx(8, new Array(9).fill(0xffffffff), new Uint8Array(8)), /^T holds 48 bytes, .* cut short/],
    ['packed and cut short', gzipSync(good).subarray(0, -4), /^T is not a whole gzip file/],
    ['NaN', idx(0x0d, [1, 1], Uint8Array.of(0x7f, 0xc0, 0, 0)), /^T: the value at \[0, 0\] is NaN/],
  ])('%s', async (_, content, message) => {
    const path = await newFile(folder, content, 'idx');
    const error = await loadIdx(path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message.replace(path, 'T')).toMatch(message);
  });
});
