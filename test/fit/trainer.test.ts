/** A trainer keeps its threads from one call to the next. */
import * as tf from '@tensorflow/tfjs';
import { fit, Trainer } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

it('trains as fit does, call by call, and evaluates and predicts in between', async () => {
  const [one, other] = [mlp(tf.train.momentum(0.1, 0.9)), mlp(tf.train.momentum(0.1, 0.9))];
  other.setWeights(one.getWeights());
  const { x, y } = classes(40, [6]);
  const options = { shuffle: false, epochs: 2, shards: 2, seed: 3 };
  await using trainer = new Trainer(one, { workers: 2, batchSize: 10 });
  for (let call = 0; call < 3; call++) {
    const ours = await trainer.fit(x, y, options);
    const theirs = await fit(other, x, y, { ...options, workers: 2, batchSize: 10 });
    expect(ours.history).toEqual(theirs.history);
    const { loss } = await trainer.evaluate(x, y);
    expect(loss).toBeLessThan(ours.history.loss?.[0] as number);
    const output = (await trainer.predict(x)) as tf.Tensor;
    expect(tf.max(tf.abs(tf.sub(output, one.predict(x) as tf.Tensor))).dataSync()[0]).toBeLessThan(1e-6);
  }
  one.getWeights().forEach((weight, i) => {
    expect(weight.dataSync()).toEqual(other.getWeights()[i]?.dataSync());
  });
});

it('predicts while it trains', async () => {
  const { x, y } = classes(20, [6]);
  await using trainer = new Trainer(mlp(tf.train.sgd(0.1)), { workers: 2 });
  const seen: number[][] = [];
  const onEpochEnd = async () => {
    seen.push(((await trainer.predict(x)) as tf.Tensor).shape);
  };
  await trainer.fit(x, y, { epochs: 2, callbacks: { onEpochEnd } });
  expect(seen).toEqual([
    [20, 3],
    [20, 3],
  ]);
});

it('trains again after a fit that failed', async () => {
  const { x, y } = classes(20, [6]);
  await using trainer = new Trainer(mlp(tf.train.sgd(0.1)), { workers: 2 });
  const failing = trainer.fit(x, y, {
    epochs: 3,
    callbacks: {
      onEpochBegin: () => {
        throw new Error('stop here');
      },
    },
  });
  await expect(failing).rejects.toThrow('stop here');
  const { history } = await trainer.fit(x, y, { epochs: 1 });
  expect(history.loss).toHaveLength(1);
});

it('refuses work after its end, and options that are none', async () => {
  const trainer = new Trainer(mlp(tf.train.sgd(0.1)), { workers: 2 });
  await trainer.close();
  const { x, y } = classes(20, [6]);
  await expect(trainer.fit(x, y)).rejects.toThrow('this trainer has ended');
  expect(() => new Trainer(mlp(tf.train.sgd(0.1)), { epochs: 2 } as object)).toThrow("Trainer has no option 'epochs'");
});

it.each([null, undefined, {}])('is of a model, not of %o', (model) => {
  expect(() => new Trainer(model as unknown as tf.LayersModel)).toThrow('model must be a tf.LayersModel');
});
