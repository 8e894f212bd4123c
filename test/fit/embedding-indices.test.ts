/** Indices that an embedding has no vector for are refused, wherever they come from. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { evaluate, fit, fitDataset, predict } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNoThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

/** Words and a number, for an embedding of 5 words. */
function words(): tf.LayersModel {
  const [indices, other] = [tf.input({ shape: [2], name: 'words' }), tf.input({ shape: [1], name: 'other' })];
  const embedding = tf.layers.embedding({ inputDim: 5, outputDim: 3, name: 'vectors' });
  const joined = tf.layers
    .concatenate()
    .apply([tf.layers.flatten().apply(embedding.apply(indices) as tf.SymbolicTensor) as tf.SymbolicTensor, other]);
  const outputs = tf.layers.dense({ units: 1 }).apply(joined as tf.SymbolicTensor) as tf.SymbolicTensor;
  const model = tf.model({ inputs: [indices, other], outputs });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

const rows = (...last: [number, number]) => [
  [[0, 4], [1, 2], last],
  [[-7], [99], [0]],
];
const Y = [[1], [2], [3]];

describe('an input of an embedding', () => {
  it.each([
    [[1, 5], 5],
    [[-1, 5], -1],
    [[4.9, -1], -1],
  ] as const)('with a row %j is refused before any thread starts', async (row, value) => {
    const x = rows(...(row as unknown as [number, number]));
    const message = `x 'words'[2] has the index ${value}: embedding layer 'vectors' has vectors for 0 to 4; give it a larger inputDim`;
    const calls = [() => fit(words(), x, Y), () => evaluate(words(), x, Y), () => predict(words(), x)];
    for (const call of calls) await expectNoThreads(() => expect(call() as Promise<unknown>).rejects.toThrow(message));
  });

  it('is refused in a batch of a data set and in validation data', async () => {
    const [bad, good] = [rows(0, 5), rows(0, 0)];
    const batch = ([a, b]: number[][][]) => ({
      xs: { words: tf.tensor(a as number[][]), other: tf.tensor(b as number[][]) },
      ys: tf.tensor(Y),
    });
    const dataset = tf.data.generator(function* () {
      yield batch(good);
      yield batch(bad);
    });
    await expect(fitDataset(words(), dataset, { workers: 1 })).rejects.toThrow(
      "xs in batch 2 of the data set 'words'[2] has the index 5",
    );
    await expect(fit(words(), good, Y, { validationData: [bad, Y] })).rejects.toThrow(
      "validationData[0] 'words'[2] has",
    );
  });

  it('may be anything from 0 to below inputDim', async () => {
    const { history } = await fit(words(), rows(4, 4.9), Y, { workers: 1 });
    expect(history.loss?.[0]).toBeGreaterThan(0);
  });
});

it('an index that the model computes ends training with rank, step and remedy, and nothing on stderr', async () => {
  const child = new URL('./support/computed-index.mjs', import.meta.url);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [fileURLToPath(child)]);
  expect(stdout).toMatch(
    /^worker 0, step 0: an embedding, or a gather, is asked for index 8 of 0 to 4: keep what the model computes/,
  );
  expect(stderr).toBe('');
});
