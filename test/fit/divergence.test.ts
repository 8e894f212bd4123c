/** A training whose loss is no number any more. */
import * as tf from '@tensorflow/tfjs';
import { fit, sgd } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

it('is told once, with the epoch, and goes on as in tfjs', async () => {
  const { x, y } = classes(24);
  const told: string[] = [];
  const { history, run } = await fit(mlp(), x, y, {
    ...{ batchSize: 8, epochs: 4, seed: 1, workers: 2 },
    optimizer: sgd({ learningRate: 1e38 }),
    onWarning: (warning) => told.push(warning),
  });
  expect(history.loss).toHaveLength(4);
  expect(run.warnings).toEqual(told);
  expect(told).toHaveLength(1);
  const epoch = (history.loss as number[]).findIndex((loss) => !Number.isFinite(loss)) + 1;
  expect(told[0]).toMatch(
    new RegExp(`^training has diverged: the loss of epoch ${epoch} is (NaN|Infinity); try a smaller learningRate`),
  );
});

it('is not told of one that is finite, whatever a metric is', async () => {
  const { x, y } = classes(24);
  const model = mlp();
  const logloss = (_: tf.Tensor, predictions: tf.Tensor) => tf.log(tf.zerosLike(predictions.mean(-1)));
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: [logloss] });
  const { history, run } = await fit(model, x, y, {
    ...{ batchSize: 8, epochs: 2, seed: 1, workers: 2, validationSplit: 0.2 },
  });
  expect(history.logloss).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(run.warnings).toEqual([]);
});
