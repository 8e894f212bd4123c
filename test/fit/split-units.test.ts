/** `split: 'units'`: shards share the units of dense layers, and train what one thread would. */
import * as tf from '@tensorflow/tfjs';
import { adam, evaluate, type FitOptions, fit, fitDataset, sgd, Trainer } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameHistory, expectSameWeights, sha256 } from './support/matchers.js';
import { classes, weightsOf } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const glorot = (seed: number) => tf.initializers.glorotUniform({ seed });
const MOMENTUM = () => tf.train.momentum(0.05, 0.9);

/** Three hidden layers, so that a layer follows units that are cut, and one that is not. */
function deep(optimizer: tf.Optimizer = MOMENTUM()): tf.Sequential {
  const kernelRegularizer = tf.regularizers.l2({ l2: 0.01 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [6],
        units: 24,
        activation: 'relu',
        kernelInitializer: glorot(1),
        kernelRegularizer,
      }),
      tf.layers.dense({
        units: 18,
        activation: 'tanh',
        kernelInitializer: glorot(2),
        biasInitializer: glorot(7) as never,
      }),
      tf.layers.dense({ units: 12, activation: 'sigmoid', useBias: false, kernelInitializer: glorot(3) }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(4) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Batch norm with moving averages between dense layers. */
function normalized(optimizer: tf.Optimizer = MOMENTUM()): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [6], units: 12, kernelInitializer: glorot(1) }),
      tf.layers.batchNormalization(),
      tf.layers.activation({ activation: 'relu' }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(2) }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Two ways from the input to the output, of which one is frozen in part. */
function branched(optimizer: tf.Optimizer = MOMENTUM()): tf.LayersModel {
  const input = tf.input({ shape: [6] });
  const a = tf.layers.dense({ units: 12, activation: 'relu', kernelInitializer: glorot(1) }).apply(input);
  const frozen = tf.layers.dense({ units: 18, activation: 'tanh', kernelInitializer: glorot(2), trainable: false });
  const b = tf.layers.dense({ units: 12, kernelInitializer: glorot(5) }).apply(frozen.apply(input));
  const sum = tf.layers.add().apply([a, b] as tf.SymbolicTensor[]);
  const output = tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(3) }).apply(sum);
  const model = tf.model({ inputs: input, outputs: output as tf.SymbolicTensor });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Layers that need all units of those before: a sum with the input, a concatenation, layer normalization, a softmax. */
function joined(optimizer: tf.Optimizer = MOMENTUM()): tf.LayersModel {
  const input = tf.input({ shape: [6] });
  const dense = (units: number, seed: number, activation: 'relu' | 'softmax' = 'relu') =>
    tf.layers.dense({ units, activation, kernelInitializer: glorot(seed) });
  const a = dense(6, 1).apply(input) as tf.SymbolicTensor;
  const residual = tf.layers.add().apply([a, input]) as tf.SymbolicTensor;
  const b = dense(12, 2).apply(tf.layers.layerNormalization().apply(residual)) as tf.SymbolicTensor;
  const c = dense(18, 3, 'softmax').apply(b) as tf.SymbolicTensor;
  const both = tf.layers.concatenate().apply([c, residual, b]) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: dense(3, 4, 'softmax').apply(both) as tf.SymbolicTensor });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The same dense layer for each of several steps, one layer used twice, and units that become an axis of rows' own. */
function shared(optimizer: tf.Optimizer = MOMENTUM()): tf.LayersModel {
  const input = tf.input({ shape: [6] });
  const steps = tf.layers.reshape({ targetShape: [3, 2] }).apply(input);
  const each = tf.layers.dense({ units: 12, activation: 'tanh', kernelInitializer: glorot(1) }).apply(steps);
  const twice = tf.layers.dense({ units: 12, activation: 'relu', kernelInitializer: glorot(2) });
  const flat = tf.layers.flatten().apply(twice.apply(twice.apply(each)));
  const output = tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(3) }).apply(flat);
  const model = tf.model({ inputs: input, outputs: output as tf.SymbolicTensor });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

function withDropout(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [6], units: 16, activation: 'relu', kernelInitializer: glorot(1) }),
      tf.layers.dropout({ rate: 0.4 }),
      tf.layers.dense({ units: 8, activation: 'relu', kernelInitializer: glorot(2) }),
      tf.layers.gaussianNoise({ stddev: 0.1 }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: glorot(3) }),
    ],
  });
  model.compile({ optimizer: MOMENTUM(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

// 53 rows to train on: batches of 13 rows, the last one of a single row.
const ARGS = { batchSize: 13, epochs: 4, validationSplit: 0.2, shuffle: false };
const UNITS: FitOptions = { split: 'units', workers: 2 };

describe.each([
  ['a deep network', deep],
  ['batch norm', normalized],
  ['branches, one of them frozen', branched],
  ['layers that need all units', joined],
  ['steps and shared layers', shared],
])('%s', (_, build) => {
  let reference: { model: tf.LayersModel; history: tf.History };
  let data: ReturnType<typeof classes>;

  beforeAll(async () => {
    data = classes(66);
    const model = build();
    reference = { model, history: await model.fit(data.x, data.y, ARGS) };
  });

  it.each([
    { workers: 1, shards: 2 },
    { workers: 2, shards: 2 },
    { workers: 3, shards: 3 },
    { workers: 2, shards: 6 },
  ])('has the weights and the History of tfjs with %o', async (threads) => {
    const model = build();
    const history = await fit(model, data.x, data.y, { ...ARGS, split: 'units', ...threads });
    expect(history.run).toMatchObject({ split: 'units', shards: threads.shards, tensorMemory: 'private' });
    // Batch norm leaves a bias in front of it without a gradient.
    expectSameWeights(model, reference.model, 0.01);
    expectSameHistory(history, reference.history);
  });
});

it.each([
  ['adam', adam({ learningRate: 0.01 })],
  ['decoupled weight decay', sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 })],
  ['clipped values', sgd({ learningRate: 0.05, clipValue: 0.01 })],
])('shares of rows and of units train the same: %s', async (_, optimizer) => {
  const { x, y } = classes(66);
  const [rows, units] = [deep(), deep()];
  await fit(rows, x, y, { ...ARGS, optimizer, workers: 2, split: 'rows' });
  await fit(units, x, y, { ...ARGS, optimizer, ...UNITS });
  expectSameWeights(units, rows);
});

describe('the same bits', () => {
  const { x, y } = classes(53);
  const bits = async (options: FitOptions) => {
    const model = withDropout();
    await fit(model, x, y, { batchSize: 16, epochs: 3, seed: 1, split: 'units', shards: 4, ...options });
    return sha256(model);
  };

  it('come from 1, 2, 3, 4 and 5 workers, with dropout and shuffling', async () => {
    const reference = await bits({ workers: 1 });
    for (const workers of [2, 3, 4, 5]) expect(await bits({ workers }), `${workers} workers`).toBe(reference);
  });

  it('come from gradients that are added up over mini-batches', async () => {
    const reference = await bits({ workers: 1, gradientAccumulationSteps: 3 });
    expect(await bits({ workers: 2, gradientAccumulationSteps: 3 })).toBe(reference);
  });
});

it('dropout masks are those of shards of rows', async () => {
  const { x, y } = classes(53);
  const [rows, units] = [withDropout(), withDropout()];
  const args = { batchSize: 16, epochs: 3, seed: 3, workers: 2 };
  await fit(rows, x, y, { ...args, split: 'rows' });
  await fit(units, x, y, { ...args, split: 'units' });
  expectSameWeights(units, rows);
});

it('the optimizer goes on from one split to the other', async () => {
  const { x, y } = classes(48);
  const [mixed, whole] = [deep(), deep()];
  const args = { batchSize: 16, epochs: 2, shuffle: false, workers: 2 };
  for (const split of ['units', 'rows', 'units'] as const) await fit(mixed, x, y, { ...args, split });
  for (let i = 0; i < 3; i++) await fit(whole, x, y, { ...args, split: 'rows' });
  expectSameWeights(mixed, whole);
});

it('a data set with batches of other sizes, and its validation, are as with shards of rows', async () => {
  const { x, y } = classes(40);
  const dataset = () =>
    tf.data.array([0, 16, 32]).map((at) => {
      const size = at === 32 ? 8 : 16;
      return { xs: x.slice([at as number, 0], [size, 6]), ys: y.slice([at as number, 0], [size, 3]) };
    });
  const models = [deep(), deep()] as const;
  const history = [];
  for (const [i, split] of (['rows', 'units'] as const).entries()) {
    const options = { epochs: 2, workers: 2, split, validationData: dataset() };
    history.push(await fitDataset(models[i] as tf.LayersModel, dataset(), options));
  }
  expectSameWeights(models[1], models[0]);
  expectSameHistory(history[1] as tf.History, history[0] as tf.History);
});

it('callbacks find the weights of the epoch in the model, and their changes count', async () => {
  const { x, y } = classes(32);
  const train = async (split: 'rows' | 'units') => {
    const model = deep();
    const seen: number[] = [];
    const onEpochEnd = () => {
      seen.push(weightsOf(model)[0]?.[0] as number);
      model.setWeights(model.getWeights().map((weight) => weight.mul(0.9)));
    };
    await fit(model, x, y, { batchSize: 16, epochs: 3, shuffle: false, workers: 2, split, callbacks: { onEpochEnd } });
    return { model, seen };
  };
  const [rows, units] = [await train('rows'), await train('units')];
  expect(new Set(units.seen).size).toBe(3);
  units.seen.forEach((value, epoch) => {
    expect(value).toBeCloseTo(rows.seen[epoch] as number, 5);
  });
  expectSameWeights(units.model, rows.model);
});

it('training that is stopped leaves a whole update', async () => {
  const { x, y } = classes(2000);
  const controller = new AbortController();
  // A gentle step: differences in rounding must not grow over however many updates are made by then.
  const gentle = () => deep(tf.train.sgd(0.01));
  const model = gentle();
  let updates = 0;
  const onBatchEnd = (batch: number) => {
    updates = batch + 1;
    if (batch === 3) controller.abort();
  };
  const args = { batchSize: 1, shuffle: false, ...UNITS, signal: controller.signal, callbacks: { onBatchEnd } };
  const error = await fit(model, x, y, args).catch((reason: unknown) => reason as { run: { updates: number } });
  const made = (error as { run: { updates: number } }).run.updates;
  expect(made).toBeGreaterThanOrEqual(updates);
  const reference = gentle();
  await reference.fit(x.slice(0, made), y.slice(0, made), { batchSize: 1, shuffle: false });
  expectSameWeights(model, reference);
});

it('a Trainer has its weights where evaluate and predict look', async () => {
  const { x, y } = classes(32);
  const model = deep();
  await using trainer = new Trainer(model, UNITS);
  await trainer.fit(x, y, { batchSize: 16, epochs: 2, shuffle: false });
  const logs = await trainer.evaluate(x, y);
  expect(logs.loss).toBeCloseTo(((model.evaluate(x, y) as tf.Scalar[])[0] as tf.Scalar).dataSync()[0] as number, 5);
  expect(await evaluate(model, x, y)).toEqual(logs);
});

describe('auto', () => {
  const sized = (units: number) => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [200], units, activation: 'relu' }),
        tf.layers.dense({ units, activation: 'relu' }),
        tf.layers.dense({ units: 4 }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return model;
  };
  const splitOf = async (units: number, batchSize: number, more: FitOptions = {}) => {
    const [x, y] = [tf.zeros([batchSize, 200]), tf.zeros([batchSize, 4])];
    return (await fit(sized(units), x, y, { batchSize, workers: 2, ...more })).run.split;
  };

  it('shares units of large layers and rows of large mini-batches', async () => {
    expect(await splitOf(600, 32)).toBe('units');
    expect(await splitOf(64, 2000)).toBe('rows');
  });

  it.each<FitOptions>([
    { optimizer: sgd({ learningRate: 0.1, clipNorm: 1 }) },
    { batchStatistics: 'shard' },
    { update: 'per-shard', split: 'auto' },
    { virtualWorkers: 2 },
    { split: 'rows' },
  ])('shares rows with %o', async (more) => {
    expect(await splitOf(600, 32, more)).toBe('rows');
  });
});

describe('what cannot be had is an error that says why', () => {
  const { x, y } = classes(16);
  const attempt = (options: FitOptions, model: tf.LayersModel = deep()) => fit(model, x, y, { ...UNITS, ...options });

  it.each<[FitOptions, string]>([
    [{ update: 'local' }, "split: 'units' needs update: 'sync', got update: 'local'"],
    [{ optimizer: sgd({ learningRate: 0.1, globalClipNorm: 1 }) }, "split: 'units' does not go with clipping by norm"],
    [
      { batchStatistics: 'shard' },
      "split: 'units' does not go with batchStatistics: 'shard': its shards have all rows",
    ],
    [{ engine: 'tfjs' }, "split: 'units' does not go with engine 'tfjs'"],
    [{ virtualWorkers: 2, workers: undefined }, "split: 'units' does not go with virtualWorkers"],
    [
      { shards: 7 },
      "split: 'units' cannot cut this model: no layer has units that 7 shards could share: shards must divide",
    ],
    [{ split: 'columns' as never }, "split must be 'auto' or 'rows' or 'units', got 'columns'"],
  ])('%o', async (options, message) => {
    await expect(attempt(options)).rejects.toThrow(message);
  });

  it('constraints', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [6], units: 3, kernelConstraint: tf.constraints.nonNeg() })],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expect(attempt({}, model)).rejects.toThrow("split: 'units' does not go with constraints of weights");
  });
});

describe('a last mini-batch of one row, which shares other units', () => {
  const build = () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [600], units: 512, kernelInitializer: glorot(1) }),
        tf.layers.layerNormalization(),
        tf.layers.dense({ units: 768, activation: 'relu', kernelInitializer: glorot(3) }),
        tf.layers.dense({ units: 3, kernelInitializer: glorot(2) }),
      ],
    });
    model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
    return model;
  };
  const args = { batchSize: 8, epochs: 1, shuffle: false };

  it('has shards share rows where either will do', async () => {
    const { x, y } = classes(17, [600]);
    const [even, model, reference] = [build(), build(), build()];
    expect((await fit(even, x.slice(0, 16), y.slice(0, 16), { ...args, workers: 2, shards: 2 })).run.split).toBe(
      'units',
    );
    expect((await fit(model, x, y, { ...args, workers: 2, shards: 2 })).run.split).toBe('rows');
    await reference.fit(x, y, args);
    expectSameWeights(model, reference);
  });

  it('is refused where units are asked for', async () => {
    const { x, y } = classes(17, [600]);
    await expect(fit(build(), x, y, { ...args, workers: 2, shards: 2, split: 'units' })).rejects.toThrow(
      /does not go with this model in 2 shards: mini-batches of 1 rows .*; use split: 'rows'/,
    );
  });
});
