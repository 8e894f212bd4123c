/** What `model.fit` does on one thread, `fit` does on several: the same updates to the same weights. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, sgd } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameHistory, expectSameWeights } from './support/matchers.js';
import { classes, cnn, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

// 66 rows, 53 of them to train on: batches of 16, 16, 16 and 5 rows, 24 updates; shards of 6+5+5 and 2+2+1 rows.
const ROWS = 66;
const ARGS = { batchSize: 16, epochs: 6, validationSplit: 0.2, shuffle: false };

const OPTIMIZERS: [string, () => tf.Optimizer, FitOptions['optimizer']?][] = [
  ['plain SGD', () => tf.train.sgd(0.1)],
  ['momentum', () => tf.train.momentum(0.05, 0.9)],
  ['nesterov', () => tf.train.momentum(0.05, 0.9, true)],
  [
    'sgd() with nesterov',
    () => tf.train.momentum(0.05, 0.9, true),
    sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  ],
];

const NETWORKS: [string, (optimizer: tf.Optimizer) => tf.Sequential, number[]][] = [
  ['an MLP', mlp, [6]],
  ['a CNN', cnn, [8, 8, 1]],
];

describe.each(NETWORKS)('%s', (_, build, shape) => {
  describe.each(OPTIMIZERS)('trained by %s', (_, compiled, optimizer) => {
    let reference: { model: tf.LayersModel; history: tf.History };
    let data: ReturnType<typeof classes>;

    beforeAll(async () => {
      data = classes(ROWS, shape);
      const model = build(compiled());
      reference = { model, history: await model.fit(data.x, data.y, ARGS) };
    });

    it.each([1, 2, 3])('has the weights and the History of tfjs with %i workers', async (workers) => {
      const model = build(compiled());
      const history = await fit(model, data.x, data.y, { ...ARGS, workers, optimizer });
      expect(history.run.updates).toBe(24);
      expect(Object.keys(history.history).sort()).toEqual(['acc', 'loss', 'val_acc', 'val_loss']);
      expectSameWeights(model, reference.model);
      expectSameHistory(history, reference.history);
    });
  });
});

it('three times a mean over rows, which for three rows is a sum, is cut into shards', async () => {
  const loss = (y: tf.Tensor, z: tf.Tensor) => tf.mul(tf.mean(tf.abs(tf.sub(y, z)), -1), 3);
  const build = () => {
    const layers = [
      tf.layers.dense({ units: 1, inputShape: [6], kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) }),
    ];
    const model = tf.sequential({ layers });
    model.compile({ optimizer: tf.train.sgd(0.01), loss: loss as () => tf.Scalar });
    return model;
  };
  const x = tf.randomNormal([24, 6], 0, 1, 'float32', 1);
  const y = tf.randomNormal([24, 1], 0, 1, 'float32', 2);
  const args = { batchSize: 8, epochs: 3, shuffle: false };
  const [alone, shared] = [build(), build()];
  await alone.fit(x, y, args);
  const { run } = await fit(shared, x, y, { ...args, workers: 2, shards: 2, split: 'rows' });
  expect(run.warnings).toEqual([]);
  expect(run.threads).toHaveLength(2);
  expectSameWeights(shared, alone);
});
