import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import * as ort from 'onnxruntime-node';
import { loadModel } from 'shardfit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { npy } from '../data/array-files.js';
import { startCli, train } from './run-cli.js';

let folder: string;
const at = (name: string) => join(folder, name);
const predict = (...args: string[]) => startCli('predict', ...args).ended;

const LABELS = ['big, round', 'small'];
const rows = Array.from({ length: 60 }, (_, i) => [i % 2 ? 1 + i / 100 : 8 - i / 100, (i * 7) % 5]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardfit-predict-'));
  const table = rows.map(([width, age], i) => `${width},${age},"${LABELS[i % 2]}"`);
  await writeFile(at('things.csv'), ['width,age,kind', ...table].join('\n'));
  const args = ['--data', at('things.csv'), '--target', 'kind', '--epochs', '30', '--lr', '0.1', '--save', at('model')];
  const { code, stderr } = await train(...args);
  expect([code, stderr]).toEqual([0, '']);
});
afterAll(() => rm(folder, { recursive: true }));

test('predicts rows by the names of their columns, in quotes where a label needs them', async () => {
  // Columns in another order, one that the model does not know, and more rows than are read at a time.
  const many = Array.from({ length: 1500 }, (_, i) => `x,${i % 5},${i % 3 ? 1.5 : 7.5}`);
  await writeFile(at('new.csv'), ['colour,age,width', ...many].join('\n'));
  const { code, stdout, stderr } = await predict('--model', at('model'), '--data', at('new.csv'));
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(`${['kind', ...many.map((_, i) => (i % 3 ? 'small' : '"big, round"'))].join('\n')}\n`);
});

test('writes a file with what loadModel predicts', async () => {
  const { code, stdout } = await predict('--model', at('model'), '--data', at('things.csv'), '--out', at('out.csv'));
  expect([code, stdout]).toEqual([0, '']);
  const labels = (await (await loadModel(at('model'))).predict(rows)).map((label) =>
    label === 'small' ? label : `"${label}"`,
  );
  expect(await readFile(at('out.csv'), 'utf8')).toBe(`${['kind', ...labels].join('\n')}\n`);
});

test('predicts more rows than go through the model at a time, on all cores and on one, as tfjs does', async () => {
  // 2048 of these rows are a piece, and enough for all cores; what is left of them is not.
  const [count, width] = [2100, 4096];
  const x = Float32Array.from({ length: count * width }, (_, i) => ((i * 7919) % 1009) / 1009);
  const y = Float32Array.from({ length: 60 }, (_, i) => i / 60);
  await writeFile(at('all.npy'), npy({ shape: [count, width], bytes: x }));
  await writeFile(at('some.npy'), npy({ shape: [60, width], bytes: x.subarray(0, 60 * width) }));
  await writeFile(at('y.npy'), npy({ shape: [60], bytes: y }));
  const shape = ['--hidden', '32', '--epochs', '1', '--lr', '0.0001', '--save', at('wide')];
  const trained = await train('--data', at('some.npy'), '--labels', at('y.npy'), ...shape);
  expect([trained.code, trained.stderr]).toEqual([0, '']);
  const { code, stdout, stderr } = await predict('--model', at('wide'), '--data', at('all.npy'));
  expect([code, stderr]).toEqual([0, '']);
  const { model, normalize } = await loadModel(at('wide'));
  const raw = Array.from({ length: count }, (_, row) => x.subarray(row * width, (row + 1) * width));
  const expected = [...(model.predict(normalize(raw)) as tf.Tensor).dataSync()];
  const predicted = stdout.trimEnd().split('\n').slice(1).map(Number);
  expect(predicted).toEqual(expected.map((value) => expect.closeTo(value, 4)));
});

test.each([
  ['without a column', 'width,kind\n1,small\n', "has no column 'age', which the model was trained on"],
  ['with a cell that is no number', 'width,age\n1,2\n3,old\n', "line 3, column 'age' is 'old', not a number"],
  ['with a row that is too short', 'width,age\n1\n', 'line 2: expected 2 cells as in the first line, got 1'],
  ['with a row that is too long', 'width,age\n1,2\n1,2,3\n', 'line 3: expected 2 cells as in the first line, got 3'],
  ['with two columns of one name', 'width,age,width\n1,2,3\n', "two columns are named 'width'"],
  ['without rows', 'width,age\n', 'has no rows'],
])('refuses a file %s and writes nothing', async (_, content, message) => {
  await writeFile(at('bad.csv'), content);
  const before = await readdir(folder);
  const { code, stdout, stderr } = await predict(
    '--model',
    at('model'),
    '--data',
    at('bad.csv'),
    '--out',
    at('bad-out.csv'),
  );
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(await readdir(folder)).toEqual(before);
});

test('export writes an ONNX model for any number of rows', async () => {
  const { code, stdout, stderr } = await startCli('export', '--model', at('model'), '--out', at('model.onnx')).ended;
  expect([code, stdout, stderr]).toEqual([0, '', '']);
  const session = await ort.InferenceSession.create(at('model.onnx'));
  const saved = await loadModel(at('model'));
  const x = saved.normalize(rows.slice(0, 7));
  const feeds = { [session.inputNames[0] as string]: new ort.Tensor('float32', x.dataSync() as Float32Array, x.shape) };
  const output = (await session.run(feeds))[session.outputNames[0] as string] as ort.Tensor;
  const expected = (saved.model.predict(x) as tf.Tensor).dataSync();
  expect(output.dims).toEqual([7, 2]);
  expected.forEach((value, i) => {
    expect((output.data as Float32Array)[i]).toBeCloseTo(value, 5);
  });
});

test('says what is wrong with the model or the command line', async () => {
  const missing = await predict('--model', at('nowhere'), '--data', at('things.csv'));
  expect([missing.code, missing.stdout]).toEqual([1, '']);
  expect(missing.stderr).toContain('nowhere');
  expect((await predict('--model', at('model'))).code).toBe(2);
});
