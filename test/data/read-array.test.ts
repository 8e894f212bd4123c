import * as tf from '@tensorflow/tfjs';
import { evaluate, readIdx, readNpy } from 'shardfit';
import { expect, test } from 'vitest';
import { idx, npy } from './array-files.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

tf.enableProdMode();
const folder = await temporaryFolder();

test('arrays of files go into the library as they are', async () => {
  const x = await readNpy(
    await newFile(folder, npy({ shape: [3, 2], bytes: Float32Array.of(1, 2, 3, 4, 5, 6) }), 'npy'),
  );
  const y = await readIdx(await newFile(folder, idx(8, [3, 1], Uint8Array.of(3, 8, 11)), 'idx'));
  expect([x.shape, x.get(2, 1), y.shape, y.get(1, 0)]).toEqual([[3, 2], 6, [3, 1], 8]);
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'ones' })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  // The sums are 3, 7 and 11: one of three is wrong by 1.
  expect((await evaluate(model, x, y, { workers: 1 })).loss).toBeCloseTo(1 / 3, 6);
});
