/**
 * Constraints of weights under the rules in which shards update on their own. Outside reference: tfjs' own constraints between
 * its updates, made in the order of the rule.
 */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../fit/support/matchers.js';
import { classes } from '../fit/support/models.js';
import { doctoredFit } from './support/doctored.js';

beforeAll(() => tf.setBackend('cpu'));

type Constraint = Parameters<typeof tf.layers.dense>[0]['kernelConstraint'];

const CONSTRAINTS: [string, () => Constraint][] = [
  ['maxNorm', () => tf.constraints.maxNorm({ maxValue: 0.5, axis: 0 })],
  ['unitNorm', () => tf.constraints.unitNorm({ axis: 0 })],
  ['nonNeg', () => tf.constraints.nonNeg()],
  // With a rate, applied twice it is not what it is applied once.
  ['minMaxNorm', () => tf.constraints.minMaxNorm({ minValue: 0.4, maxValue: 0.6, rate: 0.7, axis: 0 })],
];

function constrained(kernelConstraint: Constraint): tf.LayersModel {
  const seeded = (seed: number) => ({ kernelConstraint, kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const model = tf.sequential();
  const biasConstraint = tf.constraints.maxNorm({ maxValue: 0.1, axis: 0 });
  model.add(tf.layers.dense({ units: 7, inputShape: [6], activation: 'relu', biasConstraint, ...seeded(1) }));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax', ...seeded(2) }));
  model.compile({ optimizer: tf.train.momentum(0.5, 0.9), loss: 'categoricalCrossentropy' });
  return model;
}

/** Writing a weight of tfjs projects it on its constraint. */
function constrain(model: tf.LayersModel): void {
  for (const weight of model.weights) weight.write(weight.read().clone());
}

async function stepOfTfjs(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor): Promise<void> {
  await model.fit(x, y, { batchSize: x.shape[0] as number, shuffle: false });
  constrain(model);
}

function expectSameWeights(ours: tf.LayersModel, theirs: tf.LayersModel): void {
  ours.getWeights().forEach((weight, i) => {
    const reference = [...(theirs.getWeights()[i] as tf.Tensor).dataSync()];
    expect([...weight.dataSync()]).toEqual(reference.map((value) => expect.closeTo(value, 4)));
  });
}

const ROWS = 40;
const HALF = 4;
const { x, y } = classes(ROWS, [6]);
const OPTIONS: FitOptions = { batchSize: 2 * HALF, epochs: 1, shuffle: false, seed: 1 };

describe.each(CONSTRAINTS)('%s', (_, constraint) => {
  it.each<FitOptions>([
    { update: 'per-shard', workers: 1 },
    { update: 'hogwild', workers: 1 },
    { update: 'local', workers: 1 },
    { update: 'per-shard', virtualWorkers: 1 },
    { update: 'hogwild', virtualWorkers: 1 },
  ])('with one shard is that of sync, to the bit: %j', async (rule) => {
    const [one, other] = [constrained(constraint()), constrained(constraint())];
    await fit(one, x, y, { ...OPTIONS, workers: 1 });
    await fit(other, x, y, { ...OPTIONS, ...rule });
    expect(sha256(other)).toBe(sha256(one));
  });

  it.each<FitOptions>([{ update: 'per-shard' }, { update: 'hogwild' }, { update: 'per-shard', engine: 'tfjs' }])(
    'holds after the update of every shard: %j',
    async (rule) => {
      const [ours, theirs] = [constrained(constraint()), constrained(constraint())];
      await fit(ours, x, y, { ...OPTIONS, workers: 1, shards: 2, ...rule });
      for (let start = 0; start < ROWS; start += HALF)
        await stepOfTfjs(theirs, x.slice(start, HALF), y.slice(start, HALF));
      expectSameWeights(ours, theirs);
    },
  );

  it.each<FitOptions>([{ workers: 1 }, { workers: 2 }, { workers: 2, engine: 'tfjs' }])(
    'holds in local replicas, and in their averages: %j',
    async (options) => {
      const ours = constrained(constraint());
      const replicas = [constrained(constraint()), constrained(constraint())] as const;
      await fit(ours, x, y, { ...OPTIONS, update: 'local', syncEvery: 2, shards: 2, ...options });
      for (let step = 0; step < ROWS / HALF; step++) {
        const replica = replicas[step % 2] as tf.LayersModel;
        await stepOfTfjs(replica, x.slice(step * HALF, HALF), y.slice(step * HALF, HALF));
        if (step % 4 === 3 || step === ROWS / HALF - 1) average(replicas);
      }
      expectSameWeights(ours, replicas[0]);
    },
  );
});

function average([one, other]: readonly [tf.LayersModel, tf.LayersModel]): void {
  one.weights.forEach((weight, i) => {
    const mean = tf.div(tf.add(weight.read(), other.weights[i]?.read() as tf.Tensor), 2);
    // Writing constrains.
    for (const model of [one, other]) model.weights[i]?.write(mean);
  });
}

it('is the same bits in local for any number of workers, with an outer step too', async () => {
  for (const outer of [{}, { outerMomentum: 0.5, outerLearningRate: 0.7 }]) {
    const hashes = await Promise.all(
      [1, 2, 3].map(async (workers) => {
        const model = constrained(tf.constraints.unitNorm({ axis: 0 }));
        await fit(model, x, y, { ...OPTIONS, update: 'local', syncEvery: 3, shards: 3, workers, ...outer });
        return sha256(model);
      }),
    );
    expect(new Set(hashes).size).toBe(1);
  }
});

/** A model whose output is its weights, which the targets drive below 0: how many are, is its metric. */
function driven(): tf.LayersModel {
  const kernelConstraint = tf.constraints.nonNeg();
  const model = tf.sequential({
    layers: [tf.layers.dense({ inputShape: [1], units: 40, useBias: false, kernelConstraint })],
  });
  model.setWeights([tf.fill([1, 40], 0.5)]);
  const loss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.sum(tf.mul(yTrue, yPred), -1);
  const negative = (_: tf.Tensor, yPred: tf.Tensor) => tf.sum(tf.cast(tf.less(yPred, 0), 'float32'), -1);
  model.compile({ optimizer: tf.train.sgd(0.4), loss: loss as never, metrics: [negative as never] });
  return model;
}

const ones = { x: tf.ones([64, 1]), y: tf.ones([64, 40]) };

it.each<FitOptions>([
  { update: 'sync', workers: 2, shards: 4 },
  { update: 'per-shard', workers: 2, shards: 4 },
  { update: 'per-shard', virtualWorkers: 6, straggler: 3 },
  { update: 'local', workers: 2, shards: 4, syncEvery: 3 },
])('lets no gradient be computed on weights that break it: %j', async (rule) => {
  const { history, run } = await fit(driven(), ones.x, ones.y, { batchSize: 8, epochs: 2, ...rule });
  expect(history.negative).toEqual([0, 0]);
  expect(run.warnings).toEqual([]);
});

it.each<FitOptions>([
  { update: 'hogwild', workers: 2, shards: 4 },
  { update: 'hogwild', workers: 3, shards: 6, hogwildMomentum: 'private' },
  { update: 'hogwild', virtualWorkers: 6, straggler: 3 },
])('holds at the end of an epoch under hogwild: %j', async (rule) => {
  const model = constrained(tf.constraints.unitNorm({ axis: 0 }));
  const { run } = await fit(model, x, y, { batchSize: 12, epochs: 6, ...rule });
  for (const kernel of [0, 2]) {
    const norms = tf.norm(model.getWeights()[kernel] as tf.Tensor, 'euclidean', 0).dataSync();
    for (const norm of norms) expect(norm).toBeCloseTo(1, 5);
  }
  expect(run.warnings).toEqual([]);
});

it('is repeatable in a replay', async () => {
  const hashes = [];
  for (const update of ['per-shard', 'hogwild'] as const) {
    for (let time = 0; time < 2; time++) {
      const model = constrained(tf.constraints.maxNorm({ maxValue: 0.5, axis: 0 }));
      await fit(model, x, y, { ...OPTIONS, update, virtualWorkers: 5, straggler: 2 });
      hashes.push(sha256(model));
    }
  }
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[2]).toBe(hashes[3]);
});

// Last: a doctored copy takes the tracing of the package over.
it('is put right at the end of an epoch of hogwild where writes at once have broken it', async () => {
  const broken = await doctoredFit({ file: 'worker/rules/hogwild.js', find: 'replica.constrain();', replace: '' });
  const model = constrained(tf.constraints.unitNorm({ axis: 0 }));
  await broken(model, x, y, { ...OPTIONS, update: 'hogwild', workers: 2 });
  const norms = tf.norm(model.getWeights()[0] as tf.Tensor, 'euclidean', 0).dataSync();
  for (const norm of norms) expect(norm).toBeCloseTo(1, 5);
});
