import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { loadNpz } from '#shardfit/data/arrays/npz.js';
import { DataError } from '#shardfit/data/data-error.js';
import { loadData } from '#shardfit/data/data-sets.js';
import { npy } from './array-files.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

const folder = await temporaryFolder();
const x = npy({ shape: [4, 2], bytes: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
const y = npy({ descr: '|u1', shape: [4], bytes: Uint8Array.of(0, 1, 1, 0) });
const XY = [
  { key: 'x', flag: '--x-key' },
  { key: 'y', flag: '--y-key' },
];

/** As `numpy.savez` (level 0) or `numpy.savez_compressed` writes it. */
function npz(arrays: Record<string, Uint8Array>, level: 0 | 6 = 6): Buffer {
  const files = Object.entries(arrays).map(([name, content]) => [`${name}.npy`, content]);
  return Buffer.from(zipSync(Object.fromEntries(files), { level }));
}

/** What is wrong with the file, without its path. */
async function problem(content: Uint8Array): Promise<string> {
  const path = await newFile(folder, content, 'npz');
  const error = await loadNpz(path, XY).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message.replace(path, 'T');
}

/** Another number in the entry of `x.npy` of the directory at the end, at `offset`. */
function withEntry(content: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(content);
  copy.writeUInt32LE(value, copy.lastIndexOf('x.npy') - 46 + offset);
  return copy;
}

const PACKED = 20;
const SIZE = 24;
const PLACE = 42;

describe('a good .npz file', () => {
  test.each([0, 6] as const)('is read, compressed or not (level %i)', async (level) => {
    const [rows, labels] = await loadNpz(await newFile(folder, npz({ other: x, y, x }, level), 'npz'), XY);
    expect(rows).toMatchObject({ shape: [4, 2], integer: false });
    expect([...(rows?.values ?? [])]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(labels).toMatchObject({ shape: [4], integer: true });
  });

  test('is read as NumPy wrote it', async () => {
    // numpy.savez_compressed with x = [[1.5, -2]] as f4 and y = [3] as i8
    const file =
      'UEsDBC0AAAAIAAAAIQD9z6UI//////////8FABQAeC5ucHkBABAAiAAAAAAAAABNAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6CkaaOgq1CmQDLgaGA/YMQAIAUEsDBC0AAAAIAAAAIQBDnTEc//////////8FABQAeS5ucHkBABAAiAAAAAAAAABIAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6mjoKtQoUAC5mBggAAFBLAQItAy0AAAAIAAAAIQD9z6UITQAAAIgAAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLAQItAy0AAAAIAAAAIQBDnTEcSAAAAIgAAAAFAAAAAAAAAAAAAACAAYQAAAB5Lm5weVBLBQYAAAAAAgACAGYAAAADAQAAAAA=';
    const [rows, labels] = await loadNpz(await newFile(folder, Buffer.from(file, 'base64'), 'npz'), XY);
    expect([...(rows?.values ?? []), ...(labels?.values ?? [])]).toEqual([1.5, -2, 3]);
  });

  test('is a table by the names of its arrays', async () => {
    const path = await newFile(folder, npz({ x_train: x, y_train: y }), 'npz');
    const table = await loadData(path, { xKey: 'x_train', yKey: 'y_train' });
    expect(table).toMatchObject({ rows: 4, columns: ['x_0', 'x_1'], target: { classes: ['0', '1'] } });
    await expect(loadData(path)).rejects.toMatchObject({
      name: 'DataChoiceError',
      message: `${path} has no array 'x'. It has: x_train, y_train; name one with --x-key`,
    });
  });

  test('leaves what it is not asked for packed', async () => {
    const rows = await newFile(folder, npz({ x, y, broken: Buffer.from('no array') }), 'npz');
    expect(await loadNpz(rows, XY)).toHaveLength(2);
  });
});

describe('a bad .npz file ends in one message', () => {
  const good = npz({ x, y });
  const stored = npz({ x, y }, 0);
  const flipped = Buffer.from(stored);
  flipped[100] = (flipped[100] as number) ^ 1;
  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /^T is empty, not an \.npz file/],
    ['a bare .npy file', x, /^T is not an \.npz file: it does not begin with PK/],
    ['cut short', good.subarray(0, -30), /^T is not a whole zip file: its directory is damaged or missing/],
    ['two letters', Buffer.from('PK'), /^T is not a whole zip file/],
    ['one changed bit', flipped, /^T is not a whole zip file: x is damaged: its checksum is wrong/],
    [
      'more announced than can be packed',
      withEntry(good, SIZE, 2e9),
      /^T announces 2000000000 bytes for x\.npy, more than/,
    ],
    ['more announced than is packed', withEntry(good, SIZE, 9000), /^T is not a whole zip file: x is damaged/],
    [
      'less announced than is packed',
      withEntry(good, SIZE, 140),
      /^T is not a whole zip file: x (is damaged|or y cannot)/,
    ],
    ['a packed size beyond the file', withEntry(good, PACKED, 4e9), /^T is not a whole zip file: its directory/],
    ['a place beyond the file', withEntry(good, PLACE, 3e9), /^T is not a whole zip file: x/],
    [
      'an array that is cut short',
      npz({ x: x.subarray(0, -1), y }),
      /^array 'x' of T holds 159 bytes, .* 160: it is cut/,
    ],
    ['an array that is none', npz({ x, y: Buffer.from('none') }), /^array 'y' of T is not an \.npy file/],
    ['no arrays', npz({}), /^T has no array 'x'\. It has: none; name one with --x-key/],
    ['one array missing', npz({ x, z: y }), /^T has no array 'y'/],
  ])('%s', async (_, content, message) => {
    expect(await problem(content)).toMatch(message);
  });

  test('a zip64 directory', async () => {
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50);
    const content = Buffer.concat([good.subarray(0, -22), locator, good.subarray(-22)]);
    expect(await problem(content)).toMatch(/^T is a zip64 file, for more than 4 GiB/);
  });
});
