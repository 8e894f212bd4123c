import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
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
  // Numbers, to the compiler too, where tfjs' type has tensors as well.
  const losses: number[] | undefined = history.loss;
  expect(losses).toEqual(all.history.loss);
  expect(history).toEqual(all.history);
});

it('validates as many mini-batches as validationSteps, of data or of a split', async () => {
  const { x, y } = classes(40, [6]);
  const [head, first] = [x.slice([0], [20]), y.slice([0], [20])];
  const args = { batchSize: 8, shuffle: false, workers: 2, stepsPerEpoch: 1 };
  const valLoss = async (options: FitOptions) =>
    (await fit(mlp(tf.train.sgd(0.1)), x, y, { ...args, ...options })).history.val_loss;
  const expected = await valLoss({ validationData: [head.slice([0], [16]), first.slice([0], [16])] });
  expect(await valLoss({ validationData: [head, first], validationSteps: 2 })).toEqual(expected);
  const [last, labels] = [x.slice([20], [8]), y.slice([20], [8])];
  const ofSplit = await valLoss({ validationSplit: 0.5, validationSteps: 1 });
  expect(ofSplit).toEqual(await valLoss({ validationData: [last, labels] }));
  await expect(valLoss({ validationSplit: 0.5, validationSteps: 4 })).rejects.toThrow(
    'validationSteps must be a whole number from 1 to 3, the mini-batches of the data, got 4',
  );
  await expect(valLoss({ validationSteps: 1 })).rejects.toThrow('give validationData or validationSplit');
});

it('refuses more than there are', async () => {
  const { x, y } = classes(40, [6]);
  const training = fit(mlp(tf.train.sgd(0.1)), x, y, { batchSize: 8, stepsPerEpoch: 6 });
  await expect(training).rejects.toThrow('stepsPerEpoch must be at most 5, the mini-batches of the data, got 6');
});
