import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadModel, modelFolder } from 'shardfit';
import { expect, test } from 'vitest';
import { loadData } from '#shardfit/data/data-sets.js';
import { newFile, temporaryFolder } from '../data/temporary-folder.js';
import { events, train } from './run-cli.js';

tf.enableProdMode();
const folder = await temporaryFolder();

test('a saved model predicts the labels of raw rows, as well as training said', async () => {
  const save = join(folder, 'digits');
  const { stdout } = await train('--data', 'digits', '--lr', '0.1', '--json', '--save', save);
  const { predict } = await loadModel(save);
  const { features, target, rows } = await loadData('digits');
  if (target.kind !== 'class') throw new Error('digits are classes');
  const validation = Array.from({ length: 180 }, (_, row) => rows - 180 + row);
  const labels = await predict(validation.map((row) => features.subarray(row * 64, (row + 1) * 64)));
  const right = validation.filter((row, index) => target.classes[target.values[row] as number] === labels[index]);
  expect(right.length / 180).toBeCloseTo(events(stdout).at(-2)?.val_acc as number, 6);
  const model = await tf.loadLayersModel(modelFolder(save));
  expect((model.predict(tf.zeros([1, 64])) as tf.Tensor).shape).toEqual([1, 10]);
});

test('rows for validation of a class that training never sees are told', async () => {
  const rows = Array.from({ length: 100 }, (_, row) => `${row % 7},${row},${'abcdefghij'[Math.floor(row / 10)]}`);
  const sorted = await newFile(folder, `a,b,y\n${rows.join('\n')}\n`);
  const args = ['--data', sorted, '--target', 'y', '--epochs', '1', '--json'];
  const { code, stderr } = await train(...args);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^shardfit: warning: 10 of 10 validation rows are of classes that no row .* has \(j\): .*\n$/);
  expect((await train(...args, '--validation-split', '0.05')).stderr).toBe('');
});
