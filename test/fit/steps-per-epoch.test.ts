import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

it('ends each epoch after as many mini-batches', async () => {
  const { x, y } = classes(40, [6]);
  const [one, other] = [mlp(tf.train.sgd(0.1)), mlp(tf.train.sgd(0.1))];
  other.setWeights(one.getWeights());
  const { history, run } = await fit(one, x, y, { batchSize: 8, stepsPerEpoch: 3, shuffle: false, workers: 2 });
  const all = await fit(other, x.slice([0, 0], [24, 6]), y.slice([0, 0], [24, 3]), {
    ...{ batchSize: 8, shuffle: false, workers: 2 },
  });
  expect([run.miniBatches, run.rows, run.updates]).toEqual([3, 24, 3]);
  expect(history).toEqual(all.history);
});

it('refuses more than there are', async () => {
  const { x, y } = classes(40, [6]);
  const training = fit(mlp(tf.train.sgd(0.1)), x, y, { batchSize: 8, stepsPerEpoch: 6 });
  await expect(training).rejects.toThrow('stepsPerEpoch must be at most 5, the mini-batches of the data, got 6');
});
