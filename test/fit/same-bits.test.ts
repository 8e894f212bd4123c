/** With `shards` and `seed` fixed, the trained weights are the same bits for any number of workers. */
import * as tf from '@tensorflow/tfjs';
import { adam, type FitOptions, fit, sgd } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from './support/matchers.js';
import { classes, cnn, dropoutMlp, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

async function trainedBits(options: FitOptions): Promise<string> {
  const { x, y } = classes(53);
  const model = dropoutMlp(tf.train.momentum(0.05, 0.9));
  await fit(model, x, y, { batchSize: 16, epochs: 4, shards: 6, seed: 1, ...options });
  return sha256(model);
}

describe('with dropout and shuffling', () => {
  it('1, 2, 3 and 6 workers train the same bits from 6 shards', async () => {
    const reference = await trainedBits({ workers: 1 });
    for (const workers of [1, 2, 3, 6]) expect(await trainedBits({ workers }), `${workers} workers`).toBe(reference);
  });

  it('more workers than shards train the same bits', async () => {
    expect(await trainedBits({ workers: 3, shards: 2 })).toBe(await trainedBits({ workers: 1, shards: 2 }));
  });

  it('another seed trains other bits, also where it differs above 32 bits only', async () => {
    const bits = new Set<string>();
    for (const seed of [1, 2, 1 + 2 ** 32]) bits.add(await trainedBits({ seed }));
    expect(bits.size).toBe(3);
  });

  it('no seed means another one every time', async () => {
    expect(await trainedBits({ seed: undefined })).not.toBe(await trainedBits({ seed: undefined }));
  });
});

it('a CNN is the same bits for 1, 2 and 3 workers', async () => {
  const { x, y } = classes(20, [8, 8, 1]);
  const bits = new Set<string>();
  for (const workers of [1, 2, 3]) {
    const model = cnn();
    await fit(model, x, y, { batchSize: 7, epochs: 2, shards: 6, seed: 1, workers });
    bits.add(sha256(model));
  }
  expect(bits.size).toBe(1);
});

it.each([{ clipNorm: 0.05 }, { globalClipNorm: 0.1 }])(
  'gradients added up over mini-batches and clipped by norm are the same bits for 1, 2, 3 and 5 workers: %o',
  async (clip) => {
    const bits = new Set<string>();
    for (const workers of [1, 2, 3, 5]) {
      const optimizer = sgd({ learningRate: 0.05, ...clip });
      bits.add(await trainedBits({ workers, shards: 5, gradientAccumulationSteps: 3, optimizer }));
    }
    expect(bits.size).toBe(1);
  },
);

it.each([
  ['momentum', sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true })],
  ['adam, clipped by norm', adam({ learningRate: 0.01, clipNorm: 0.5 })],
])('a wide layer, whose new weights workers put together first, is the same bits: %s', async (_, optimizer) => {
  const { x, y } = classes(53);
  const bits = new Set<string>();
  for (const workers of [1, 2, 3, 5]) {
    const model = mlp(undefined, 900);
    await fit(model, x, y, { batchSize: 16, epochs: 2, shards: 5, split: 'rows', seed: 1, workers, optimizer });
    bits.add(sha256(model));
  }
  expect(bits.size).toBe(1);
});
