import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { saveModel } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { imageLabels, images, npy } from '../data/array-files.js';
import { newFile, temporaryFolder } from '../data/temporary-folder.js';
import { type CliRun, events, startCli, train } from './run-cli.js';

const folder = await temporaryFolder();
const at = (name: string) => join(folder, name);
const evaluate = (...args: string[]): Promise<CliRun> => startCli('evaluate', ...args).ended;
const parquet = fileURLToPath(new URL('../data/parquet-files/snappy.parquet', import.meta.url));

/** The rows of the Parquet file, as `write.py` beside it makes them. */
const rows = Array.from({ length: 60 }, (_, i) => {
  const size = ((i * 37) % 11) - 5;
  return { size, line: `${size},${(i * 7) % 5},${Number(i % 3 === 0)},${size > 0 ? 'big' : 'small'}` };
});
const csv = (lines: string[], names = 'size,age,new,kind') => newFile(folder, [names, ...lines].join('\n'));

let validation: Record<string, number>;

/** What `--json` prints. */
async function result(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await evaluate(...args, '--json', '--workers', '2');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  const data = await csv(rows.map(({ line }) => line));
  const args = [
    '--data',
    data,
    '--target',
    'kind',
    '--validation-split',
    '0.5',
    '--epochs',
    '5',
    '--save',
    at('model'),
  ];
  const { stdout } = await train(...args, '--json');
  validation = events(stdout).findLast(({ event }) => event === 'epoch') as Record<string, number>;
});

describe('evaluate', () => {
  test('says of the validation rows what the training said, whatever the size of a batch', async () => {
    const data = await csv(rows.slice(30).map(({ line }) => line));
    for (const size of ['7', '100']) {
      const found = await result('--model', at('model'), '--data', data, '--batch-size', size);
      const loss = expect.closeTo(validation.val_loss as number, 5);
      const acc = expect.closeTo(validation.val_acc as number, 5);
      expect(found).toEqual({ event: 'evaluated', rows: 30, loss, acc });
    }
  });

  test('says the same of a CSV and of a Parquet file, by the names of their columns', async () => {
    const turned = rows.map(({ line }) => `x,${line.split(',').reverse().join(',')}`);
    const found = await result('--model', at('model'), '--data', await csv(turned, 'other,kind,new,age,size'));
    expect(found.rows).toBe(60);
    expect(await result('--model', at('model'), '--data', parquet)).toEqual(found);
  });

  test('compares with another column, and prints lines for people', async () => {
    const data = await csv(
      rows.map(({ line }) => line),
      'size,age,new,sort',
    );
    const { code, stdout } = await evaluate('--model', at('model'), '--data', data, '--target', 'sort');
    expect(stdout).toMatch(/: 60 rows; loss categoricalCrossentropy\nloss \d\.\d+ {2}acc \d\.\d+\n$/);
    expect(code).toBe(0);
  });

  test('takes a file of one class', async () => {
    const data = await csv(rows.filter(({ size }) => size > 0).map(({ line }) => line));
    expect(await result('--model', at('model'), '--data', data)).toMatchObject({ rows: 26 });
  });

  test('takes numbers and arrays', async () => {
    const x = await newFile(
      folder,
      npy({ shape: [40, 2], bytes: Float32Array.from({ length: 80 }, (_, i) => i % 7) }),
      'npy',
    );
    const y = await newFile(
      folder,
      npy({ shape: [40], bytes: Float32Array.from({ length: 40 }, (_, i) => i % 3) }),
      'npy',
    );
    const data = ['--data', x, '--labels', y];
    const { stdout } = await train(
      ...data,
      '--epochs',
      '3',
      '--validation-split',
      '0.5',
      '--json',
      '--save',
      at('numbers'),
    );
    expect(stdout).toContain('"val_mae"');
    expect(await result('--model', at('numbers'), ...data)).toEqual({
      ...{ event: 'evaluated', rows: 40, loss: expect.any(Number), mae: expect.any(Number) },
    });
  });

  test('takes images, which predict takes, too', async () => {
    const pictures = await newFile(folder, gzipSync(images(60)), 'idx3-ubyte.gz');
    const labels = await newFile(folder, imageLabels(60), 'idx1-ubyte');
    const data = ['--data', pictures, '--labels', labels];
    await train(...data, '--epochs', '10', '--lr', '0.1', '--quiet', '--save', at('images'));
    expect(await result('--model', at('images'), ...data)).toMatchObject({ rows: 60, acc: 1 });
    const predicted = await startCli('predict', '--model', at('images'), '--data', pictures).ended;
    expect(predicted.stdout).toBe(`y\n${'0\n1\n'.repeat(30)}`);
    const tabled = await startCli('predict', '--model', at('model'), '--data', parquet).ended;
    expect(tabled.stdout.split('\n')).toHaveLength(62);
  });
});

describe('evaluate refuses with one message', () => {
  const first = rows[0]?.line;
  test.each<[string, number, () => Promise<string[]>, RegExp]>([
    [
      'a class that the model does not know',
      1,
      async () => [await csv([first ?? '', '1,2,0,bug'])],
      /line 3, 'kind' \(the target\): is 'bug', none of the 2 classes .* did you mean 'big'/,
    ],
    ['a table without the target', 1, async () => [await csv(['1,2,0'], 'size,age,new')], /has no column 'kind'/],
    [
      'a table without a column',
      1,
      async () => [await csv(['1,2,big'], 'size,age,kind')],
      /has no column 'new', which/,
    ],
    [
      'rows of arrays for a model of columns',
      2,
      async () => [
        await newFile(folder, npy({ shape: [4, 3] }), 'npy'),
        '--labels',
        await newFile(folder, npy({ shape: [4] }), 'npy'),
      ],
      /the model was trained on size, \.\.\.; give it data of the kind/,
    ],
    [
      'arrays of another shape',
      1,
      async () => [
        await newFile(folder, npy({ shape: [4, 2] }), 'npy'),
        '--labels',
        await newFile(folder, npy({ shape: [4] }), 'npy'),
      ],
      /has rows of shape \[2\], but the model takes \[3\], 3 values/,
    ],
    [
      'rows without labels',
      2,
      async () => [await newFile(folder, npy(), 'npy')],
      /name the file of the labels with --labels/,
    ],
  ])('%s', async (_, expected, data, message) => {
    const { code, stdout, stderr } = await evaluate('--model', at('model'), '--data', ...(await data()));
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^shardfit: [^\n]*\n$/);
    expect([code, stdout]).toEqual([expected, '']);
  });

  test('a model that was saved without its loss, as older ones were, or without its columns', async () => {
    const manifest = JSON.parse(await readFile(join(at('model'), 'model.json'), 'utf8'));
    const name = manifest.userDefinedMetadata.shardfit.normalizer;
    const { columns, mean, scale, target } = JSON.parse(await readFile(join(at('model'), name), 'utf8'));
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    await saveModel(at('older'), model, { normalizer: { columns, mean, scale }, target });
    await saveModel(at('bare'), model);
    const older = await evaluate('--model', at('older'), '--data', parquet);
    expect(older.stderr).toMatch(
      /^shardfit: the model in .* was saved without its loss, as by an older shardfit: train it again/,
    );
    const bare = await evaluate('--model', at('bare'), '--data', parquet);
    expect(bare.stderr).toMatch(/^shardfit: the model in .* was saved without its columns/);
    expect([older.code, bare.code]).toEqual([2, 2]);
  });
});
