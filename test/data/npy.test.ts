import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadNpy } from '#shardfit/data/arrays/npy.js';
import { DataError } from '#shardfit/data/data-error.js';
import { type NpyParts, npy } from './array-files.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

const folder = await temporaryFolder();

/** The message of the DataError that loading ends in, without the path. */
async function problem(content: Uint8Array): Promise<string> {
  const path = await newFile(folder, content, 'npy');
  const error = await loadNpy(path).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DataError);
  expect((error as DataError).message).toContain(path);
  return (error as DataError).message.replace(path, 'T');
}

async function valuesOf(content: Uint8Array): Promise<number[]> {
  return [...(await loadNpy(await newFile(folder, content, 'npy'))).values];
}

/** Six numbers of a type, written with a DataView in either order of bytes. */
function written(bytes: number, write: (view: DataView, at: number) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(6 * bytes));
  for (let index = 0; index < 6; index++) write(view, index * bytes);
  return new Uint8Array(view.buffer);
}

describe('a good .npy file', () => {
  test('is read as NumPy wrote it: big-endian, in the order of Fortran', async () => {
    const file =
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/wAAAQEAAAMAAAABAgAAAPoAAAECgAAA=';
    const path = await newFile(folder, Buffer.from(file, 'base64'), 'npy');
    const array = await loadNpy(path);
    expect(array).toMatchObject({ source: path, shape: [2, 3], integer: false, pixels: false });
    expect([...array.values]).toEqual([1.5, -2, 0.25, 3, 4, 5]);
  });

  test.each<[string, number, (view: DataView, at: number, little: boolean) => void, number]>([
    ['u1', 1, (view, at) => view.setUint8(at, 200), 200],
    ['i1', 1, (view, at) => view.setInt8(at, -100), -100],
    ['u2', 2, (view, at, little) => view.setUint16(at, 65000, little), 65000],
    ['i2', 2, (view, at, little) => view.setInt16(at, -300, little), -300],
    ['u4', 4, (view, at, little) => view.setUint32(at, 4e9, little), 4e9],
    ['i4', 4, (view, at, little) => view.setInt32(at, -16777217, little), -16777217],
    ['u8', 8, (view, at, little) => view.setBigUint64(at, 2n ** 40n + 1n, little), 2 ** 40 + 1],
    ['i8', 8, (view, at, little) => view.setBigInt64(at, -(2n ** 40n) - 1n, little), -(2 ** 40) - 1],
    ['f4', 4, (view, at, little) => view.setFloat32(at, 0.1, little), Math.fround(0.1)],
    ['f8', 8, (view, at, little) => view.setFloat64(at, 0.1, little), 0.1],
    ['f2', 2, (view, at, little) => view.setUint16(at, 0xc100, little), -2.5],
    ['b1', 1, (view, at) => view.setUint8(at, 1), 1],
  ])('of type %s, little- and big-endian', async (type, bytes, write, expected) => {
    for (const little of [true, false]) {
      const content = written(bytes, (view, at) => write(view, at, little));
      const descr = bytes === 1 ? `|${type}` : `${little ? '<' : '>'}${type}`;
      const array = await loadNpy(await newFile(folder, npy({ descr, bytes: content }), 'npy'));
      expect([...array.values]).toEqual(new Array(6).fill(expected));
      expect(array.integer).toBe(!type.startsWith('f'));
    }
  });

  test('half floats: the smallest, the largest, and those below the normal ones', async () => {
    const bits = Uint16Array.of(0x0001, 0x0400, 0x7bff, 0x8000, 0x83ff, 0x3c00);
    const expected = [2 ** -24, 2 ** -14, 65504, -0, -1023 * 2 ** -24, 1];
    expect(await valuesOf(npy({ descr: '<f2', bytes: bits }))).toEqual(expected);
  });

  test.each([1, 2, 3])('of version %i.0', async (version) => {
    const bytes = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(await valuesOf(npy({ version, bytes }))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('gzipped, whatever its name', async () => {
    const bytes = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(await valuesOf(gzipSync(npy({ bytes })))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('with three axes in the order of Fortran', async () => {
    // The value at [i, j, k] is 100 i + 10 j + k; the first axis runs fastest.
    const at = (i: number, j: number, k: number) => 100 * i + 10 * j + k;
    const bytes = Float32Array.from({ length: 24 }, (_, n) => at(n % 2, Math.floor(n / 2) % 3, Math.floor(n / 6)));
    const expected = Array.from({ length: 24 }, (_, n) => at(Math.floor(n / 12), Math.floor(n / 4) % 3, n % 4));
    expect(await valuesOf(npy({ shape: [2, 3, 4], fortran: true, bytes }))).toEqual(expected);
  });

  test('with the dictionary as Python 2 or another program wrote it', async () => {
    const dictionary = '{"shape": (2L,3L), "fortran_order": False, "descr": "=f4"}';
    expect(await valuesOf(npy({ dictionary }))).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('a bad .npy file ends in one message', () => {
  const good = npy();
  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /^T is empty, not an \.npy file/],
    ['another format', Buffer.from('a,b\n1,2\n'), /^T is not an \.npy file: it does not begin with/],
    ['cut in the magic', good.subarray(0, 5), /^T is not an \.npy file/],
    ['cut behind the magic', good.subarray(0, 9), /^T is cut short in its header/],
    ['cut in the dictionary', good.subarray(0, 40), /^T is cut short in its header/],
    ['cut in the numbers', good.subarray(0, -3), /^T holds 149 bytes, but its header announces 152: it is cut short/],
    ['more behind the numbers', Buffer.concat([good, Buffer.from('x')]), /^T holds more than the 152 bytes/],
    ['a later version', npy({ version: 4 }), /^T is an \.npy file of version 4\.0, not 1\.0 to 3\.0/],
    ['a packed file that is cut short', gzipSync(good).subarray(0, -9), /^T is not a whole gzip file: unexpected end/],
    ['a packed file that is damaged', damaged(gzipSync(good)), /^T is not a whole gzip file/],
    ['packed rubbish', Buffer.from([0x1f, 0x8b, 1, 2, 3]), /^T is not a whole gzip file/],
    ['packed text', gzipSync('a,b\n1,2\n'), /^T is not an \.npy file/],
    [
      'a packed file with less in it',
      gzipSync(good.subarray(0, -4)),
      /^T holds 148 bytes, but its header announces 152/,
    ],
    ['a packed file with more in it', gzipSync(Buffer.alloc(9e7, good, 'latin1')), /^T holds more than the 152 bytes/],
  ])('%s', async (_, content, message) => {
    expect(await problem(content)).toMatch(message);
  });

  test.each<[string, NpyParts, RegExp]>([
    ['text', { descr: '<U5' }, /^T holds values of type '<U5', which are no plain numbers; write it as one of b1, u1/],
    ['objects', { descr: '|O' }, /^T holds values of type '\|O'/],
    ['complex numbers', { descr: '<c8' }, /^T holds values of type '<c8'/],
    ['dates', { descr: '<M8[D]' }, /^T holds values of type '<M8\[D\]'/],
    ['long doubles', { descr: '<f16' }, /^T holds values of type '<f16'/],
    [
      'fields',
      { dictionary: "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}" },
      /^T holds values of type 'several fields'/,
    ],
    ['no dictionary', { dictionary: 'numbers' }, /^T has a header without descr, fortran_order and shape/],
    ['no shape', { dictionary: "{'descr': '<f4', 'fortran_order': False}" }, /^T has a header without/],
    [
      'a shape that is no shape',
      { dictionary: "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}" },
      /^T has a header without/,
    ],
    ['a single number', { shape: [] }, /^T holds a single number/],
    ['no rows', { shape: [0, 3] }, /^T is an array of shape \[0,3\], which has no values/],
    [
      'a shape without end',
      { shape: [1e9, 1e9], bytes: new Uint8Array(4) },
      /announces 4000000000000000000: it is cut/,
    ],
    ['a header without end', { version: 2, announced: 4e9 }, /announces a length of 4000000000 bytes, more than 10000/],
    ['NaN', { bytes: Float32Array.of(1, 2, 3, 4, Number.NaN, 6) }, /^T: the value at \[1, 1\] is NaN, not a finite/],
    ['infinity', { bytes: Float32Array.of(1, 2, Number.NEGATIVE_INFINITY, 4, 5, 6) }, /at \[0, 2\] is -Infinity/],
    [
      'too large',
      { descr: '<f8', bytes: Float64Array.of(1, 2, 3, 1e39, 5, 6) },
      /at \[1, 0\] is 1e\+39, more than a 32-bit/,
    ],
  ])('%s', async (_, parts, message) => {
    expect(await problem(npy(parts))).toMatch(message);
  });

  test('a packed file whose header announces more than is ever unpacked', async () => {
    const content = gzipSync(npy({ shape: [1e9, 1e9], bytes: new Uint8Array(4) }));
    expect(await problem(content)).toMatch(/announces 4000000000000000000 bytes, more than the 2 GiB that are read/);
  });

  test('a header made to keep a reader busy', async () => {
    const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${'1'.repeat(5000)}x)}`;
    expect(await problem(npy({ dictionary, bytes: new Uint8Array(4) }))).toMatch(/^T has a header without/);
  });

  test('a missing file, a folder', async () => {
    await expect(loadNpy(join(folder, 'no.npy'))).rejects.toThrow(/no\.npy does not exist/);
    await expect(loadNpy(folder)).rejects.toThrow(/is a folder, not an \.npy file/);
  });
});

/** The same file with a byte changed in the middle. */
function damaged(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] as number) ^ 0xff;
  return copy;
}
