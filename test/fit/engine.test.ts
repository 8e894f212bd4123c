/** The engine 'tfjs' beside tfjs' own `fit`, and when it takes the place of 'onnx'. */
import * as tf from '@tensorflow/tfjs';
import { evaluate, type FitOptions, fit, predict, Trainer } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { doctoredFit } from '../rules/support/doctored.js';
import { residualCnn } from './support/coupled.js';
import { expectSameHistory, expectSameWeights } from './support/matchers.js';
import { classes, cnn, dropoutMlp, mlp } from './support/models.js';
import { build as readingModel } from './support/reading-model.mjs';
import { build as tellingModel } from './support/telling-model.mjs';

beforeAll(() => tf.setBackend('cpu'));

const modelModule = new URL('./support/reading-model.mjs', import.meta.url);

async function expectAsTfjs(build: () => tf.LayersModel, rowShape: number[], options: FitOptions): Promise<string[]> {
  const [ours, theirs] = [build(), build()];
  theirs.setWeights(ours.getWeights());
  const { x, y } = classes(20, rowShape);
  const args = { batchSize: 8, epochs: 2, shuffle: false };
  const { history, run } = await fit(ours, x, y, { ...args, validationData: [x, y], ...options });
  const expected = await theirs.fit(x, y, { ...args, validationData: [x, y] });
  for (const [name, values] of Object.entries(expected.history)) {
    values.forEach((value, epoch) => {
      expect(history[name]?.[epoch], name).toBeCloseTo(value as number, 5);
    });
  }
  ours.getWeights().forEach((weight, i) => {
    const reference = theirs.getWeights()[i]?.dataSync() as Float32Array;
    weight.dataSync().forEach((value, at) => {
      expect(value).toBeCloseTo(reference[at] as number, 5);
    });
  });
  return run.warnings;
}

const MODELS: [string, () => tf.LayersModel, number[]][] = [
  ['an MLP', () => mlp(tf.train.momentum(0.1, 0.9)), [6]],
  ['a CNN', () => cnn(tf.train.sgd(0.1)), [8, 8, 1]],
  ['a residual CNN with batch norm', () => residualCnn(), [8, 8, 2]],
];

describe.each(MODELS)("engine 'tfjs' with %s", (_, build, shape) => {
  it('trains as tfjs does, on whole mini-batches', async () => {
    const warnings = await expectAsTfjs(build, shape, { engine: 'tfjs', workers: 2 });
    expect(warnings.join()).toContain('mini-batches are not cut');
  });
});

it("cuts mini-batches where batchStatistics is 'shard', and counts each row alike", async () => {
  const options: FitOptions = { engine: 'tfjs', workers: 3, batchStatistics: 'shard' };
  expect(await expectAsTfjs(() => mlp(tf.train.sgd(0.1)), [6], options)).toEqual([]);
});

it('trains by another update rule', async () => {
  const { x, y } = classes(40, [6]);
  const options: FitOptions = { batchSize: 8, epochs: 3, update: 'local', shards: 2, shuffle: false, seed: 1 };
  const [one, other] = [mlp(tf.train.sgd(0.1)), mlp(tf.train.sgd(0.1))];
  other.setWeights(one.getWeights());
  const eager = await fit(one, x, y, { ...options, engine: 'tfjs', workers: 2 });
  const traced = await fit(other, x, y, { ...options, workers: 2 });
  expect(eager.history.loss?.at(-1)).toBeCloseTo(traced.history.loss?.at(-1) as number, 5);
});

describe('a model that cannot be traced', () => {
  it("is trained by 'tfjs' with a warning, built from its module in the workers", async () => {
    const warnings = await expectAsTfjs(readingModel, [6], { workers: 2, modelModule });
    expect(warnings[0]).toMatch(/reads the value of a tensor .*: tfjs computes the steps in the workers instead/);
  });

  it('is evaluated and predicted too', async () => {
    const model = readingModel();
    const { x, y } = classes(20, [6]);
    const heard: string[] = [];
    const options = { workers: 2, modelModule, onWarning: (warning: string) => heard.push(warning) };
    const { loss } = await evaluate(model, x, y, options);
    expect(loss).toBeCloseTo((model.evaluate(x, y) as tf.Scalar).dataSync()[0] as number, 5);
    const output = (await predict(model, x, { batchSize: 6, ...options })) as tf.Tensor;
    expect(heard).toHaveLength(2);
    for (const warning of heard) expect(warning).toMatch(/reads the value of a tensor .*: tfjs computes the steps/);
    const expected = model.predict(x, { batchSize: 6 }) as tf.Tensor;
    expect(tf.max(tf.abs(tf.sub(output, expected))).dataSync()[0]).toBeLessThan(1e-5);
  });

  it("is refused by 'onnx', and without its module", async () => {
    const { x, y } = classes(20, [6]);
    await expect(fit(readingModel(), x, y, { engine: 'onnx' })).rejects.toThrow("or train it with engine: 'tfjs'");
    await expect(fit(readingModel(), x, y)).rejects.toThrow('the loss is a function, which cannot be sent there');
    const missing = fit(readingModel(), x, y, { modelModule: './no-such-model.mjs' });
    await expect(missing).rejects.toThrow('modelModule must be a module that exists, got ./no-such-model.mjs');
  });

  it('is refused if its module builds another, or none', async () => {
    const { x, y } = classes(20, [6]);
    const other = fit(mlp(tf.train.sgd(0.1)), x, y, { engine: 'tfjs', modelModule });
    await expect(other).rejects.toThrow('the model that was built in the worker has weights of the shapes');
    const none = fit(readingModel(), x, y, { modelModule: new URL('./support/models.ts', import.meta.url) });
    await expect(none).rejects.toThrow(/worker 0: /);
  });
});

it('carries the states of stateful layers from one mini-batch to the next, as tfjs', async () => {
  const build = () => {
    const model = tf.sequential();
    model.add(tf.layers.lstm({ units: 3, stateful: true, batchInputShape: [4, 5, 2] }));
    model.add(tf.layers.dense({ units: 1 }));
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    return model;
  };
  const [ours, theirs] = [build(), build()];
  theirs.setWeights(ours.getWeights());
  const [x, y] = [tf.randomUniform([12, 5, 2], -1, 1, 'float32', 3), tf.randomUniform([12, 1], -1, 1, 'float32', 4)];
  const { history, run } = await fit(ours, x, y, { batchSize: 4, epochs: 2, shuffle: false, workers: 2 });
  const expected = await theirs.fit(x, y, { batchSize: 4, epochs: 2, shuffle: false });
  history.loss?.forEach((loss, epoch) => {
    expect(loss).toBeCloseTo(expected.history.loss?.[epoch] as number, 5);
  });
  expect(run.warnings[0]).toContain('is stateful');
});

/** Trains twins with either engine and expects the same of both. */
async function expectAsOnnx(
  build: () => tf.LayersModel,
  x: tf.Tensor,
  y: tf.Tensor,
  options: FitOptions,
): Promise<void> {
  const [eager, traced] = [build(), build()];
  eager.setWeights(traced.getWeights());
  const args: FitOptions = { batchSize: 8, epochs: 2, seed: 4, workers: 2, ...options };
  const expected = await fit(traced, x, y, { ...args, engine: 'onnx' });
  expectSameHistory(await fit(eager, x, y, { ...args, engine: 'tfjs' }), expected);
  expectSameWeights(eager, traced);
}

it('keeps frozen layers in replicas of their own', async () => {
  const build = () => {
    const model = mlp(tf.train.sgd(0.1));
    (model.layers[0] as tf.layers.Layer).trainable = false;
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
    return model;
  };
  const { x, y } = classes(40, [6]);
  await expectAsOnnx(build, x, y, { update: 'local', shards: 2 });
});

it('weights rows in evaluation, and all steps of a row alike', async () => {
  const build = () => {
    const model = tf.sequential();
    model.add(tf.layers.simpleRNN({ units: 3, returnSequences: true, inputShape: [8, 2] }));
    model.add(tf.layers.dense({ units: 1 }));
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    return model;
  };
  const [x, y] = [tf.randomNormal([16, 8, 2], 0, 1, 'float32', 3), tf.randomNormal([16, 8, 1], 0, 1, 'float32', 4)];
  const sampleWeight = Array.from({ length: 16 }, (_, row) => 2 * (row % 3));
  await expectAsOnnx(build, x, y, { sampleWeight, validationData: [x, y, sampleWeight] });
  const model = build();
  const [eager, traced] = await Promise.all(
    (['tfjs', 'onnx'] as const).map((engine) => evaluate(model, x, y, { engine, sampleWeight, workers: 1 })),
  );
  expect(eager?.loss).toBeCloseTo(traced?.loss as number, 5);
  expect(eager?.loss).not.toBeCloseTo((await evaluate(model, x, y)).loss as number, 2);
});

describe('random layers draw by the seed, as the traced step does,', () => {
  it('between layers', async () => {
    const { x, y } = classes(40, [6]);
    await expectAsOnnx(() => dropoutMlp(tf.train.sgd(0.1)), x, y, {});
    await expectAsOnnx(() => dropoutMlp(tf.train.sgd(0.1)), x, y, { update: 'local', shards: 3 });
  });

  it('and in recurrent cells', async () => {
    const build = () => {
      const cell = tf.layers.gruCell({ units: 3, dropout: 0.3, recurrentDropout: 0.3 });
      const model = tf.sequential();
      model.add(tf.layers.lstm({ units: 3, dropout: 0.3, returnSequences: true, inputShape: [5, 2] }));
      model.add(tf.layers.rnn({ cell }) as tf.layers.Layer);
      model.add(tf.layers.dense({ units: 1 }));
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      return model;
    };
    const [x, y] = [tf.randomNormal([12, 5, 2], 0, 1, 'float32', 3), tf.randomNormal([12, 1], 0, 1, 'float32', 4)];
    await expectAsOnnx(build, x, y, {});
  });
});

it('has a new model built for every call of a trainer', async () => {
  const { x } = classes(8, [6]);
  await using trainer = new Trainer(readingModel(), { workers: 1, modelModule });
  const outputs = [await trainer.predict(x), await trainer.predict(x)] as tf.Tensor[];
  expect(outputs[0]?.dataSync()).toEqual(outputs[1]?.dataSync());
  const kept = new URL('./support/kept-model.mjs', import.meta.url);
  await trainer.predict(x, { modelModule: kept });
  await expect(trainer.predict(x, { modelModule: kept })).rejects.toThrow('returned the same model a second time');
});

describe('the backend of tfjs in the workers', () => {
  const module = new URL('./support/telling-model.mjs', import.meta.url);
  const train = async (train: typeof fit) => {
    const { x } = classes(8, [6]);
    const { history } = await train(tellingModel(), x, tf.zeros([8, 1]), { modelModule: module, workers: 2 });
    return history.loss?.[0];
  };

  it('is wasm where that is installed, and that of the caller stays as it was', async () => {
    expect(await train(fit)).toBe(1);
    expect(tf.getBackend()).toBe('cpu');
  });

  // Last: a doctored copy takes the tracing of the package over.
  it('is cpu where it is not', async () => {
    const file = 'worker/wasm-backend.js';
    const without = await doctoredFit({ file, find: '@tensorflow/tfjs-backend-wasm', replace: 'not-installed' });
    expect(await train(without)).toBe(2);
  });
});
