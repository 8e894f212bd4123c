/** `model.fit(x, y, args)` becomes `fit(model, x, y, args)`: what stood around it stays as it was. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, type TensorInput } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameHistory, expectSameWeights } from './support/matchers.js';
import { classes, dropoutMlp, mlp, weightsOf } from './support/models.js';
import { workerThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

const ARGS = { batchSize: 8, epochs: 3, shuffle: false };

/** Every call of every callback, with its logs. */
function recorder() {
  const calls: [string, ...unknown[]][] = [];
  const note =
    (name: string) =>
    async (...args: unknown[]) =>
      void calls.push([name, ...structuredClone(args)]);
  const names = ['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'];
  const callbacks: tf.CustomCallbackArgs = Object.fromEntries(names.map((name) => [name, note(name)]));
  return { calls, callbacks };
}

function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, v) => (typeof v === 'number' ? Math.round(v * 1e3) / 1e3 : v));
}

/** A functional model with two inputs and two outputs. */
function twoByTwo(): tf.LayersModel {
  const a = tf.input({ shape: [3], name: 'a' });
  const b = tf.input({ shape: [2], name: 'b' });
  const dense = (name: string, units: number, seed: number) =>
    tf.layers.dense({ name, units, kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const hidden = dense('hidden', 6, 1).apply(tf.layers.concatenate().apply([a, b])) as tf.SymbolicTensor;
  const outputs = [dense('c', 2, 2).apply(hidden), dense('d', 1, 3).apply(hidden)] as tf.SymbolicTensor[];
  const model = tf.model({ inputs: [a, b], outputs });
  model.compile({ optimizer: tf.train.sgd(0.05), loss: ['meanSquaredError', 'meanAbsoluteError'], metrics: ['mse'] });
  return model;
}

describe('after fit', () => {
  it.each([1, 2])('tensors, memory and backend are as before (%i workers)', async (workers) => {
    const { x, y } = classes(30);
    const model = dropoutMlp(tf.train.momentum(0.05, 0.9));
    const before = { memory: tf.memory(), backend: tf.getBackend(), ids: model.getWeights().map(({ id }) => id) };
    const [input, output] = [x.dataSync().slice(), y.dataSync().slice()];
    await fit(model, x, y, { ...ARGS, workers, validationSplit: 0.2, callbacks: recorder().callbacks });
    expect({ memory: tf.memory(), backend: tf.getBackend(), ids: model.getWeights().map(({ id }) => id) }).toEqual(
      before,
    );
    expect(x.dataSync()).toEqual(input);
    expect(y.dataSync()).toEqual(output);
  });

  it('the model predicts with the trained weights and can be saved, evaluated and trained by tfjs', async () => {
    const { x, y } = classes(30);
    const [ours, theirs] = [mlp(), mlp()];
    await fit(ours, x, y, { ...ARGS, workers: 2 });
    await theirs.fit(x, y, ARGS);
    const [a, b] = [ours, theirs].map((model) => (model.predict(x) as tf.Tensor).dataSync());
    (b as Float32Array).forEach((value, i) => {
      expect(a?.[i]).toBeCloseTo(value, 4);
    });
    await ours.fit(x, y, ARGS);
    await theirs.fit(x, y, ARGS);
    expectSameWeights(ours, theirs);
  });

  it('process listeners are as before', async () => {
    const { x, y } = classes(10);
    const count = () => process.eventNames().reduce((n, name) => n + process.listenerCount(name), 0);
    const before = count();
    await fit(mlp(), x, y, { workers: 2 });
    expect(count()).toBe(before);
  });
});

describe('callbacks', () => {
  it.each<[string, object]>([
    ['without validation', {}],
    ['with validationSplit', { validationSplit: 0.2 }],
    ['with a later first epoch', { initialEpoch: 1 }],
  ])('are called as by tfjs, with the same logs, %s', async (_, args) => {
    const { x, y } = classes(30);
    const [ours, theirs] = [recorder(), recorder()];
    await fit(mlp(), x, y, { ...ARGS, ...args, workers: 2, callbacks: ours.callbacks });
    await mlp().fit(x, y, { ...ARGS, ...args, callbacks: theirs.callbacks });
    // tfjs hands some callbacks empty logs or none at all.
    const withLogs = (calls: [string, ...unknown[]][]) =>
      calls.map(([name, ...rest]) => [
        name,
        ...rest.filter((v) => typeof v !== 'object' || Object.keys(v ?? {}).length),
      ]);
    const comparable = (calls: [string, ...unknown[]][]) =>
      withLogs(calls).map(([name, ...rest]) => [name, ...(name === 'onBatchBegin' ? rest.slice(0, 1) : rest)]);
    expect(rounded(comparable(ours.calls))).toEqual(rounded(comparable(theirs.calls)));
  });

  it('may be a list, and objects of tf.CustomCallback', async () => {
    const { x, y } = classes(20);
    const seen: string[] = [];
    const custom = new tf.CustomCallback({ onEpochEnd: async () => void seen.push('custom') });
    await fit(mlp(), x, y, { callbacks: [custom] });
    await fit(mlp(), x, y, {
      callbacks: [
        { onEpochEnd: async () => void seen.push('first') },
        { onEpochEnd: async () => void seen.push('second') },
      ],
    });
    expect(seen).toEqual(['custom', 'first', 'second']);
  });

  it('have the model and its parameters, as EarlyStopping needs them', async () => {
    const { x, y } = classes(40);
    const run = async (train: (model: tf.LayersModel, args: object) => Promise<tf.History>) => {
      const model = mlp(tf.train.sgd(5));
      const callbacks = tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: 1 });
      return (await train(model, { ...ARGS, epochs: 30, validationSplit: 0.3, callbacks })).epoch.length;
    };
    const epochs = await run((model, args) => fit(model, x, y, { ...args, workers: 2 }));
    expect(epochs).toBe(await run((model, args) => model.fit(x, y, args)));
    expect(epochs).toBeLessThan(30);
  });

  it('see the weights of the epoch they are told of', async () => {
    const { x, y } = classes(20);
    const weights = async (train: (model: tf.LayersModel, args: object) => Promise<unknown>) => {
      const model = mlp();
      const seen: number[] = [];
      const onEpochEnd = async () => void seen.push(weightsOf(model)[0]?.[0] as number);
      await train(model, { ...ARGS, callbacks: { onEpochEnd } });
      return seen;
    };
    const ours = await weights((model, args) => fit(model, x, y, { ...args, workers: 2 }));
    expect(rounded(ours)).toEqual(rounded(await weights((model, args) => model.fit(x, y, args))));
    expect(new Set(ours).size).toBe(3);
  });

  it('hear of progress with means over the rows so far', async () => {
    const { x, y } = classes(64);
    const seen: { epoch: number; step: number; rows: number; loss: number; rate: number }[] = [];
    const history = await fit(mlp(), x, y, {
      batchSize: 8,
      epochs: 2,
      onProgress: ({ epoch, epochs, step, steps, rows, logs, samplesPerSecond }) => {
        expect([epochs, steps]).toEqual([2, 8]);
        expect(rows).toBe(step * 8);
        seen.push({ epoch, step, rows, loss: logs.loss as number, rate: samplesPerSecond });
      },
    });
    for (const epoch of [0, 1]) {
      const last = seen.filter((s) => s.epoch === epoch).at(-1);
      expect(last).toMatchObject({ step: 8, rows: 64, loss: history.history.loss?.[epoch] });
      expect(last?.rate).toBeGreaterThan(0);
    }
  });
});

describe('History', () => {
  it.each<[string, (x: tf.Tensor, y: tf.Tensor) => FitOptions]>([
    ['validationSplit', () => ({ validationSplit: 0.3 })],
    ['validationData', (x, y) => ({ validationData: [x.slice(0, 9), y.slice(0, 9)] })],
    ['both: validationData wins', (x, y) => ({ validationSplit: 0.3, validationData: [x.slice(0, 9), y.slice(0, 9)] })],
    ['initialEpoch', () => ({ initialEpoch: 2, epochs: 4 })],
    ['an initialEpoch behind the last', () => ({ initialEpoch: 5, epochs: 4 })],
    ['verbose', () => ({ verbose: 0 as const })],
  ])('is that of tfjs with %s', async (_, options) => {
    const { x, y } = classes(30);
    const [ours, theirs] = [mlp(), mlp()];
    const args = { ...ARGS, ...options(x, y) } as FitOptions;
    const history = await fit(ours, x, y, { ...args, workers: 2 });
    expectSameHistory(history, await theirs.fit(x, y, args as tf.ModelFitArgs));
    expectSameWeights(ours, theirs);
    expect(history).toBeInstanceOf(tf.History);
  });

  it('counts what was done', async () => {
    const { x, y } = classes(30);
    const { run } = await fit(mlp(), x, y, { batchSize: 8, epochs: 3, workers: 2, shards: 3, validationSplit: 0.3 });
    expect(run).toMatchObject({
      rows: 21,
      validationRows: 9,
      miniBatches: 3,
      epochs: 3,
      updates: 9,
      workers: 2,
      shards: 3,
      batchSize: 8,
    });
    expect(run.threads.map(({ rank }) => rank)).toEqual([0, 1]);
    expect(run.seconds).toBeGreaterThan(0);
    expect(run.samplesPerSecond).toBeCloseTo(63 / run.seconds, 0);
    for (const { gatherSeconds, computeSeconds, waitSeconds, reduceSeconds } of run.threads) {
      const sum = gatherSeconds + computeSeconds + waitSeconds + reduceSeconds;
      expect(computeSeconds).toBeGreaterThan(0);
      expect(sum).toBeLessThanOrEqual(run.seconds);
    }
  });
});

describe('a functional model with two inputs and two outputs', () => {
  it('trains as by tfjs, with data by name or in lists', async () => {
    const [a, b] = [tf.randomNormal([21, 3], 0, 1, 'float32', 1), tf.randomNormal([21, 2], 0, 1, 'float32', 2)];
    const [c, d] = [tf.randomNormal([21, 2], 0, 1, 'float32', 3), tf.randomNormal([21, 1], 0, 1, 'float32', 4)];
    const args = { ...ARGS, validationSplit: 0.2 };
    const reference = twoByTwo();
    const expected = await reference.fit([a, b], [c, d], args);
    // tfjs puts a running total of the loss before the validation's values, which all get the name of the one before.
    const { val_c_loss, val_d_loss, val_c_mse, val_d_mse, ...training } = expected.history as Record<string, number[]>;
    const validation = { val_loss: val_c_loss, val_c_loss: val_d_loss, val_d_loss: val_c_mse, val_c_mse: val_d_mse };
    Object.assign(expected, { history: { ...training, ...validation } });
    const forms: [TensorInput, TensorInput][] = [
      [
        [a, b],
        [c, d],
      ],
      [
        { b, a },
        { c, d },
      ],
    ];
    for (const [x, y] of forms) {
      const model = twoByTwo();
      const history = await fit(model, x, y, { ...args, workers: 2 });
      expectSameWeights(model, reference);
      // The one that tfjs has no room left for.
      expect(history.history.val_d_mse).toHaveLength(3);
      delete history.history.val_d_mse;
      expectSameHistory(history, expected);
    }
  });
});

describe('two fits at a time', () => {
  it('on one model are refused', async () => {
    const { x, y } = classes(30);
    const model = mlp();
    const first = fit(model, x, y, { epochs: 3 });
    await expect(fit(model, x, y)).rejects.toThrow('this model is being trained by another fit: wait for it to end');
    expect((await first).epoch).toEqual([0, 1, 2]);
    expect((await fit(model, x, y)).epoch).toEqual([0]);
  });

  it('on two models do not disturb each other', async () => {
    const { x, y } = classes(30);
    const reference = mlp();
    await reference.fit(x, y, { ...ARGS, epochs: 10 });
    const models = [mlp(), mlp(), mlp()];
    await Promise.all(models.map((model) => fit(model, x, y, { ...ARGS, epochs: 10, workers: 2 })));
    for (const model of models) expectSameWeights(model, reference);
    expect(workerThreads()).toBe(0);
  });
});
