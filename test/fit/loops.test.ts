/** Passes over large tensors by loops, in place of ONNX Runtime's operations. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, Trainer } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { expectSameHistory, expectSameWeights, sha256 } from './support/matchers.js';
import { classes } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

/** Convolution, batch norm, ReLU and pooling, twice, with few weights. */
function normalized(seed = 1): tf.Sequential {
  const convolution = (filters: number, inputShape?: [number, number, number]) =>
    tf.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: tf.initializers.glorotUniform({ seed }),
      ...(inputShape && { inputShape }),
    });
  const model = tf.sequential();
  for (const [filters, inputShape] of [[16, [16, 16, 1]], [32]] as [number, [number, number, number]?][]) {
    model.add(convolution(filters, inputShape));
    model.add(tf.layers.batchNormalization());
    model.add(tf.layers.reLU());
    model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  }
  model.add(tf.layers.flatten());
  const kernelInitializer = tf.initializers.glorotUniform({ seed });
  model.add(tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }));
  model.compile({ optimizer: tf.train.momentum(0.02, 0.9), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The last mini-batch of an epoch has another size. */
const DATA = classes(88, [16, 16, 1]);

async function trained(options: FitOptions): Promise<{ model: tf.LayersModel; history: tf.History }> {
  const model = normalized();
  const history = await fit(model, DATA.x, DATA.y, { batchSize: 32, epochs: 2, shards: 2, seed: 1, ...options });
  return { model, history: history as unknown as tf.History };
}

it('train what ONNX Runtime alone trains, and the same bits for any number of workers', async () => {
  const alone = await trained({ engine: 'onnx', workers: 1 });
  const one = await trained({ workers: 1 });
  // Sums are rounded elsewhere: loops were there.
  expect(sha256(one.model)).not.toBe(sha256(alone.model));
  expectSameWeights(one.model, alone.model);
  expectSameHistory(one.history, alone.history);
  for (const workers of [2, 3]) expect(sha256((await trained({ workers })).model)).toBe(sha256(one.model));
});

it('train the same bits from the memory of another training', async () => {
  const options = { batchSize: 32, shards: 2, workers: 2 };
  const shuffle = false;
  const fresh = normalized();
  await fit(fresh, DATA.x, DATA.y, { ...options, epochs: 1, shuffle });
  const before = normalized(2);
  const model = normalized();
  await using first = new Trainer(before, { ...options, batchSize: 24 });
  await first.fit(DATA.x, DATA.y, { epochs: 2 });
  await first.evaluate(DATA.x, DATA.y);
  await first.fit(DATA.x, DATA.y, { epochs: 1 });
  await using second = new Trainer(model, options);
  await second.fit(DATA.x, DATA.y, { epochs: 1, shuffle });
  expect(sha256(model)).toBe(sha256(fresh));
});

it('lose no NaN: where numbers overflow the loss is NaN, as without them', async () => {
  const values = DATA.x.dataSync().slice();
  values.fill(3e38, 0, 256);
  const x = tf.tensor(values, DATA.x.shape);
  for (const engine of ['auto', 'onnx'] as const) {
    const { history } = await fit(normalized(), x, DATA.y, {
      batchSize: 32,
      epochs: 1,
      shards: 2,
      shuffle: false,
      engine,
    });
    expect(history.loss?.[0], engine).toBeNaN();
  }
});
