import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { newFile, temporaryFolder } from '../data/temporary-folder.js';
import { events, train } from './run-cli.js';

tf.enableProdMode();
const folder = await temporaryFolder();

function dense(inputs: number, outputs: number): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ units: 8, activation: 'relu', inputShape: [inputs] }),
      tf.layers.dense({ units: outputs, activation: outputs > 1 ? 'softmax' : 'linear' }),
    ],
  });
}

const topologyFile = (json: unknown) => newFile(folder, JSON.stringify(json), 'json');
const run = (file: string, ...args: string[]) =>
  train('--model', file, '--data', 'digits', '--epochs', '1', '--json', ...args);

describe('--model', () => {
  test('takes a bare topology and a model.json, and starts both from the same weights every time', async () => {
    const topology = dense(64, 10).toJSON(null, false);
    const hashes = [];
    for (const json of [topology, topology, { modelTopology: topology, format: 'layers-model' }]) {
      const { code, stdout } = await run(await topologyFile(json), '--shards', '2');
      expect(code).toBe(0);
      hashes.push(events(stdout).at(-1)?.weightsSha256);
    }
    expect(new Set(hashes).size).toBe(1);
  });

  test('gives another start for another seed', async () => {
    const file = await topologyFile(dense(64, 10).toJSON(null, false));
    const [a, b] = await Promise.all([run(file, '--seed', '1'), run(file, '--seed', '2')]);
    expect(events(a.stdout).at(0)?.loss).not.toBe(events(b.stdout).at(0)?.loss);
  });

  test('gives rows the shape that the model takes', async () => {
    const model = tf.sequential({
      layers: [tf.layers.flatten({ inputShape: [8, 8, 1] }), tf.layers.dense({ units: 10, activation: 'softmax' })],
    });
    expect((await run(await topologyFile(model.toJSON(null, false)))).code).toBe(0);
  });

  test.each<[string, unknown, RegExp]>([
    ['of another input', dense(10, 10).toJSON(null, false), /takes rows of shape \[10\], but digits has 64 features/],
    ['of another output', dense(64, 3).toJSON(null, false), /gives rows of shape \[3\], but 'digit' is 10 classes/],
    ['that is no topology', { hello: 1 }, /is not a topology that tfjs can build/],
  ])('a model %s is refused', async (_, json, message) => {
    const { code, stderr } = await run(await topologyFile(json));
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('a file that is not JSON is refused', async () => {
    const { code, stderr } = await run(await newFile(folder, 'model:', 'json'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/is not a topology that tfjs can build: .*JSON/);
  });
});

describe('--loss', () => {
  test.each(['sparseCategoricalCrossentropy', 'binaryCrossentropy', 'meanSquaredError', 'meanAbsoluteError'])(
    '%s trains classes',
    async (loss) => {
      const { code, stderr } = await train('--data', 'digits', '--epochs', '1', '--loss', loss, '--json');
      expect([code, stderr]).toEqual([0, '']);
    },
  );

  test('two classes and one output are binary', async () => {
    const rows = Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row < 30 ? 'no' : 'yes'}`);
    const file = await newFile(folder, `a,b,y\n${rows.join('\n')}\n`);
    const args = [
      '--data',
      file,
      '--target',
      'y',
      '--loss',
      'binaryCrossentropy',
      '--lr',
      '0.3',
      '--validation-split',
      '0',
    ];
    const { stdout } = await train(...args, '--json');
    expect(events(stdout).at(-2)).toMatchObject({ acc: expect.any(Number), loss: expect.any(Number) });
    expect(events(stdout).at(-2)?.acc).toBeGreaterThan(0.9);
  });
});
