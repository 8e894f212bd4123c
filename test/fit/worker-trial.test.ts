/** `workers: 'auto'` finds a number of workers while it trains. */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { fit, Trainer } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { WorkerTrial } from '#shardfit/coordinator/worker-trial.js';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

/** What is chosen if an update takes `seconds(workers)`, with epochs of so many mini-batches. */
function settle(all: number, seconds: (workers: number) => number, epochSteps = 1000, multiple = 1) {
  const trial = new WorkerTrial(all, multiple);
  const sizes: number[] = [];
  for (let left = epochSteps; !trial.settled; left = left === 0 ? epochSteps : left) {
    const steps = trial.steps(left);
    sizes.push(steps);
    trial.add(steps, steps * seconds(trial.workers));
    left -= steps;
  }
  return { workers: trial.workers, tried: trial.tried.map(({ workers }) => workers), sizes };
}

describe('a trial', () => {
  it.each<[string, number, (workers: number) => number, number, number[]]>([
    ['all, where work is shared well', 8, (workers) => 0.02 / workers, 8, [8, 4]],
    ['one, where meeting costs more than the work', 8, (workers) => 1e-4 * workers, 1, [8, 4, 2, 1]],
    ['the best in between', 16, (workers) => 0.004 / workers + 0.0004 * workers, 4, [16, 8, 4, 2, 1]],
    ['one of one', 1, () => 1, 1, []],
  ])('settles on %s', (_, all, seconds, workers, tried) => {
    expect(settle(all, seconds)).toMatchObject({ workers, tried });
  });

  it('tries whole updates, also in short epochs', () => {
    const { sizes, workers } = settle(4, () => 1e-4, 40, 5);
    expect(sizes.every((size) => size % 5 === 0)).toBe(true);
    expect(workers).toBe(4);
  });

  it('costs one update with fewer workers, where updates are long', () => {
    // 1 and 2 to warm up, 1 with two workers, and 1 with one.
    expect(settle(2, (workers) => 0.2 / workers)).toMatchObject({ workers: 2, tried: [2, 1], sizes: [1, 2, 1, 1] });
  });

  it('is not misled by a slow start', () => {
    let updates = 0;
    const trial = new WorkerTrial(2, 1);
    while (!trial.settled) {
      const steps = trial.steps(1000);
      updates += steps;
      trial.add(steps, (steps * (updates < 40 ? 0.03 : 0.01)) / trial.workers);
    }
    expect(trial.workers).toBe(2);
  });
});

describe.runIf(availableParallelism() > 1)('fit', () => {
  it('has the same bits, and says what it tried', async () => {
    const { x, y } = classes(1003, [6]);
    const models = [mlp(tf.train.momentum(0.1, 0.9)), mlp(tf.train.momentum(0.1, 0.9))] as const;
    models[1].setWeights(models[0].getWeights());
    // Long enough for a fast machine to have tried them all.
    const epochs = 600;
    const options = { batchSize: 4, epochs, shards: 3, seed: 5, validationSplit: 0.1 };
    const seen: number[] = [];
    const onBatchEnd = (batch: number) => {
      seen.push(batch);
    };
    const found = await fit(models[0], x, y, { ...options, workers: 'auto', callbacks: { onBatchEnd } });
    const fixed = await fit(models[1], x, y, { ...options, workers: 2 });
    expect(found.history).toEqual(fixed.history);
    models[0].getWeights().forEach((weight, i) => {
      expect(weight.dataSync()).toEqual(models[1].getWeights()[i]?.dataSync());
    });
    const { settled, updates, miniBatches } = found.run;
    expect([updates, miniBatches]).toEqual([epochs * 226, 226]);
    expect(seen).toEqual(Array.from({ length: epochs * 226 }, (_, i) => i % 226));
    expect(settled?.tried.map(({ workers }) => workers)).toContain(settled?.workers);
    expect(fixed.run.settled).toBeUndefined();
  });

  it('is not made again by a trainer for a training alike', async () => {
    const { x, y } = classes(1003, [6]);
    await using trainer = new Trainer(mlp(tf.train.momentum(0.01, 0.9)), { workers: 'auto', shards: 3 });
    const { run: first } = await trainer.fit(x, y, { batchSize: 4, epochs: 400 });
    expect(first.settled?.tried.length).toBeGreaterThan(0);
    const { run: second } = await trainer.fit(x, y, { batchSize: 4 });
    expect(second.settled).toEqual(first.settled);
    const { run: other } = await trainer.fit(x, y, { batchSize: 5 });
    expect(other.settled).toBeUndefined();
  });

  it('leaves mini-batches whole, for one worker, where cutting them costs more than it saves', async () => {
    const { x, y } = classes(64, [6]);
    const { run } = await fit(mlp('sgd'), x, y);
    expect(run).toMatchObject({ workers: 1, shards: 1, settled: { workers: 1, tried: [] } });
    // Who asks for shards, or for workers, gets them.
    expect((await fit(mlp('sgd'), x, y, { shards: 2 })).run.shards).toBe(2);
    expect((await fit(mlp('sgd'), x, y, { workers: 2 })).run).toMatchObject({ workers: 2, shards: 2 });
  });

  it('cuts mini-batches of a network that is large enough', async () => {
    const cores = availableParallelism();
    const layers = [
      tf.layers.dense({ units: 256, activation: 'relu', inputShape: [300] }),
      tf.layers.dense({ units: 3 }),
    ];
    const large = tf.sequential({ layers });
    large.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { run } = await fit(large, tf.randomNormal([512, 300]), tf.randomNormal([512, 3]), { batchSize: 256 });
    expect(run).toMatchObject({ workers: cores, shards: cores });
  });
});
