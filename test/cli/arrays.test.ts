import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { imageLabels, images, npy } from '../data/array-files.js';
import { newFile, temporaryFolder } from '../data/temporary-folder.js';
import { events, train } from './run-cli.js';

const folder = await temporaryFolder();
const file = (content: Uint8Array, extension = 'npy') => newFile(folder, content, extension);

const ROWS = 200;
const x = Float32Array.from({ length: ROWS * 3 }, (_, at) => ((at * 37) % 11) - 5);
const sums = Float32Array.from({ length: ROWS }, (_, row) =>
  [0, 1, 2].reduce((sum, i) => sum + (x[row * 3 + i] ?? 0), 0),
);
const rows = await file(npy({ shape: [ROWS, 3], bytes: x }));
const signs = await file(
  npy({ descr: '|b1', shape: [ROWS], bytes: Uint8Array.from(sums, (sum) => (sum > 0 ? 1 : 0)) }),
);
const numbers = await file(npy({ shape: [ROWS], bytes: sums }));
const pictures = await file(gzipSync(images(ROWS)), 'idx3-ubyte.gz');
const kinds = await file(gzipSync(imageLabels(ROWS)), 'idx1-ubyte.gz');
const SHORT = ['--epochs', '8', '--lr', '0.1', '--json', '--workers', '2'];

/** Logs of the last epoch. */
async function lastEpoch(...args: string[]) {
  const { code, stdout, stderr } = await train(...args, ...SHORT);
  expect([code, stderr]).toEqual([0, '']);
  return events(stdout).findLast(({ event }) => event === 'epoch') as Record<string, number>;
}

describe('train learns from arrays', () => {
  test('classes of an .npy file', async () => {
    expect((await lastEpoch('--data', rows, '--labels', signs)).val_acc).toBeGreaterThan(0.9);
  });

  test('numbers of an .npy file', async () => {
    const args = ['--data', rows, '--labels', numbers, '--hidden', 'none'];
    expect((await lastEpoch(...args)).val_loss).toBeLessThan(0.01);
  });

  test('arrays of an .npz file by their names', async () => {
    const sum = npy({ shape: [ROWS], bytes: sums });
    const both = zipSync({ 'a.npy': npy({ shape: [ROWS, 3], bytes: x }), 'b.npy': sum });
    const args = ['--data', await file(both, 'npz'), '--x-key', 'a', '--y-key', 'b', '--hidden', 'none'];
    expect((await lastEpoch(...args)).val_loss).toBeLessThan(0.01);
  });

  test('images of IDX files, flat or through a convolution', async () => {
    const idx = ['--data', pictures, '--labels', kinds];
    expect((await lastEpoch(...idx)).val_acc).toBe(1);
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    const topology = join(folder, 'cnn.json');
    await writeFile(topology, JSON.stringify(model.toJSON(null, false)));
    expect((await lastEpoch(...idx, '--model', topology)).val_acc).toBe(1);
  });
});

describe('bad arrays end with one message before any thread starts', () => {
  const cut = npy({ shape: [ROWS, 3], bytes: x }).subarray(0, -1);
  test.each<[string, number, () => Promise<string[]>, RegExp]>([
    ['no labels', 2, async () => ['--data', rows], /name the file of the labels with --labels/],
    ['a file that is cut short', 1, async () => ['--data', await file(cut), '--labels', signs], /is cut short/],
    ['damaged labels', 1, async () => ['--data', pictures, '--labels', await file(Buffer.of(31, 139, 9))], /gzip/],
    ['labels of other rows', 1, async () => ['--data', rows, '--labels', await file(npy({ shape: [3] }))], /3 labels/],
    [
      'a missing array',
      2,
      async () => ['--data', await file(zipSync({ 'a.npy': cut }), 'npz')],
      /has no array 'x'.* It has: a; name one with --x-key/,
    ],
    ['a missing file', 2, async () => ['--data', rows, '--labels', join(folder, 'no.npy')], /does not exist/],
  ])('%s', async (_, expected, args, message) => {
    const { code, stdout, stderr } = await train(...(await args()));
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^shardfit: [^\n]*\n$/);
    expect([code, stdout]).toEqual([expected, '']);
  });

  test('axes in another order than the model takes them', async () => {
    const model = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 8] }), tf.layers.dense({ units: 2 })] });
    const topology = join(folder, 'other.json');
    await writeFile(topology, JSON.stringify(model.toJSON(null, false)));
    const { code, stderr } = await train('--data', pictures, '--labels', kinds, '--model', topology);
    expect(stderr).toMatch(/takes rows of shape \[2,8\], but those of .* are \[4,4\]: the axes are in another order/);
    expect(code).toBe(2);
  });
});
