/** A second `fit` goes on where the first one ended. */
import * as tf from '@tensorflow/tfjs';
import { fit, sgd } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { repeated, targetsAsGradient, vector } from './support/linear.js';
import { expectSameHistory, expectSameWeights, sha256 } from './support/matchers.js';
import { classes, mlp, weightsOf } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const ARGS = { batchSize: 8, epochs: 3, shuffle: false };

describe('the state of the optimizer', () => {
  it('goes on in the next fit, as in tfjs', async () => {
    const { x, y } = classes(30);
    const [ours, theirs] = [mlp(tf.train.momentum(0.05, 0.9)), mlp(tf.train.momentum(0.05, 0.9))];
    for (let i = 0; i < 2; i++) {
      expectSameHistory(await fit(ours, x, y, { ...ARGS, workers: 2 }), await theirs.fit(x, y, ARGS));
      expectSameWeights(ours, theirs);
    }
  });

  it('begins anew when the model is compiled again, as in tfjs', async () => {
    const { x, y } = classes(30);
    const [ours, theirs] = [mlp(tf.train.momentum(0.05, 0.9)), mlp(tf.train.momentum(0.05, 0.9))];
    for (let i = 0; i < 2; i++) {
      await fit(ours, x, y, { ...ARGS, workers: 2 });
      await theirs.fit(x, y, ARGS);
      for (const model of [ours, theirs]) {
        model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'categoricalCrossentropy' });
      }
    }
    expectSameWeights(ours, theirs);
  });

  it('holds the number of updates: two fits are one longer fit', async () => {
    const { x, y } = classes(30);
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, decay: 0.1 });
    const [once, twice] = [mlp(), mlp()];
    await fit(once, x, y, { ...ARGS, epochs: 6, shards: 2, workers: 1, optimizer });
    await fit(twice, x, y, { ...ARGS, epochs: 3, shards: 2, workers: 1, optimizer });
    await fit(twice, x, y, { ...ARGS, epochs: 6, initialEpoch: 3, shards: 2, workers: 2, optimizer });
    expect(sha256(twice)).toBe(sha256(once));
  });

  it('is dropped when another kind of velocity is asked for', async () => {
    const model = vector([1], targetsAsGradient, tf.train.momentum(2, 0.9));
    const { x, y } = repeated([0.1], 4);
    await fit(model, x, y, { batchSize: 4, workers: 1 });
    await fit(model, x, y, { batchSize: 4, workers: 1, optimizer: sgd({ learningRate: 2, momentum: 0.9 }) });
    // Each time a first step, of 2 * 0.1.
    expect(weightsOf(model)[0]?.[0]).toBeCloseTo(0.6, 6);
  });

  it('follows a rate that a callback changes between epochs', async () => {
    const model = vector([1], targetsAsGradient, tf.train.sgd(1));
    const { x, y } = repeated([0.1], 4);
    const optimizer = model.optimizer as tf.SGDOptimizer;
    const onEpochEnd = () => optimizer.setLearningRate(0.5);
    await fit(model, x, y, {
      batchSize: 4,
      epochs: 2,
      workers: 2,
      callbacks: { onEpochEnd: async () => onEpochEnd() },
    });
    expect(weightsOf(model)[0]?.[0]).toBeCloseTo(1 - 0.1 - 0.05, 6);
  });
});
