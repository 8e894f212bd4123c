/** Short epochs are trained several in a row where nobody needs to know in between: the same as one by one. */
import * as tf from '@tensorflow/tfjs';
import { type FitHistory, type FitOptions, fit, Trainer } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { EpochsInARow } from '#shardfit/coordinator/epochs-in-a-row.js';
import { expectSameHistory, sha256 } from './support/matchers.js';
import { classes, dropoutMlp, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const ROWS = 40;
/** Whether epochs were trained in a row: they have equal shares of what they took together. Of two that is chance, now and then. */
function ranInARow({ milestones }: FitHistory['run']): boolean {
  const took = milestones.map(({ seconds }, i) => seconds - (milestones[i - 1]?.seconds ?? 0));
  const isLike = (a = 0, b = 0) => Math.abs(a / b - 1) < 1e-9;
  return took.some((seconds, i) => i > 1 && isLike(seconds, took[i - 1]) && isLike(seconds, took[i - 2]));
}

const momentum = () => tf.train.momentum(0.05, 0.9);

describe('epochs in a row', () => {
  it.each([
    { batchSize: 16, workers: 1 },
    { batchSize: 16, workers: 2 },
    { batchSize: 16, workers: 2, shuffle: false },
    { batchSize: 16, workers: 2, stepsPerEpoch: 2 },
    { batchSize: 40, workers: 1, initialEpoch: 7 },
    { batchSize: 16, workers: 2, engine: 'onnx' },
    { batchSize: 16, workers: 2, split: 'units', engine: 'onnx' },
  ] as FitOptions[])('have the same bits and History as epochs that a callback is told of: %j', async (options) => {
    const { x, y } = classes(ROWS);
    const args = { ...options, epochs: 40, seed: 3 };
    const [alone, told] = [dropoutMlp(momentum()), dropoutMlp(momentum())];
    const began: number[] = [];
    const callbacks = { onEpochBegin: (epoch: number) => void began.push(epoch) };
    const reference = await fit(told, x, y, { ...args, callbacks });
    const history = await fit(alone, x, y, args);
    expect(sha256(alone)).toBe(sha256(told));
    expectSameHistory(history, reference);
    expect(history.epoch).toEqual(began);
    const counts = ({ run }: typeof history) => ({
      ...{ updates: run.updates, rows: run.rows, epochs: run.epochs, miniBatches: run.miniBatches },
      milestones: run.milestones.map(({ updates, rows }) => ({ updates, rows })),
    });
    expect(counts(history)).toEqual(counts(reference));
    const seconds = history.run.milestones.map((milestone) => milestone.seconds);
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
    expect(ranInARow(history.run)).toBe(true);
    expect(ranInARow(reference.run)).toBe(false);
  });

  it('go on with the optimizer where an earlier fit has ended', async () => {
    const { x, y } = classes(ROWS);
    const [once, twice] = [mlp(momentum()), mlp(momentum())];
    const args = { batchSize: 16, workers: 2, shuffle: false };
    await fit(once, x, y, { ...args, epochs: 30 });
    await using trainer = new Trainer(twice, { workers: 2 });
    await trainer.fit(x, y, { ...args, epochs: 11 });
    await trainer.fit(x, y, { ...args, epochs: 19 });
    expect(sha256(twice)).toBe(sha256(once));
  });

  it('end at a whole update when the signal says so, and all before are told', async () => {
    const { x, y } = classes(ROWS);
    const abort = new AbortController();
    const reason = new Error('enough');
    const [model, same] = [mlp(), mlp()];
    await using interrupted = new Trainer(model, { batchSize: 16, workers: 2 });
    await interrupted.fit(x, y, { shuffle: false, epochs: 1 }); // its threads are there from here on
    const training = interrupted.fit(x, y, { shuffle: false, epochs: 1_000_000, signal: abort.signal });
    setTimeout(() => abort.abort(reason), 500);
    const error = (await training.catch((e: unknown) => e)) as Error & { run: FitHistory['run'] };
    expect(error).toBe(reason);
    const { updates, milestones } = error.run;
    expect(milestones.length).toBeGreaterThan(2);
    // 3 updates an epoch. The weights are those of as many updates, whole epochs first.
    const whole = Math.floor(updates / 3);
    await using trainer = new Trainer(same, { batchSize: 16, workers: 2 });
    await trainer.fit(x, y, { shuffle: false, epochs: 1 + whole });
    if (updates % 3 > 0) await trainer.fit(x, y, { shuffle: false, stepsPerEpoch: updates % 3, epochs: 1 });
    expect(sha256(same)).toBe(sha256(model));
  });

  it.each([
    { validationSplit: 0.2 },
    { onProgress: () => {} },
    { gradientAccumulationSteps: 2 },
    { virtualWorkers: 2 },
    { update: 'local', shards: 2 },
  ] as FitOptions[])('are not trained in a row with %j', async (options) => {
    const { x, y } = classes(ROWS);
    const { run } = await fit(mlp(), x, y, { batchSize: 16, epochs: 40, ...options });
    expect(run.epochs).toBe(40);
    expect(ranInARow(run)).toBe(false);
  });

  it('warn once, of the epoch in which training diverges', async () => {
    const { x, y } = classes(ROWS);
    const model = mlp(tf.train.sgd(1e20));
    const { run, history } = await fit(model, x, y, { batchSize: 16, epochs: 30, workers: 1 });
    expect(run.warnings).toHaveLength(1);
    const first = (history.loss as number[]).findIndex((loss) => !Number.isFinite(loss));
    expect(run.warnings[0]).toContain(`epoch ${first + 1}`);
  });
});

describe('how many are trained in a row', () => {
  it('is one, until it is known how long they take, then as many as take a quarter of a second', () => {
    const row = new EpochsInARow(1000);
    expect(row.next(500)).toBe(1);
    row.add(1, 0.001);
    expect(row.next(500)).toBe(250);
    expect(row.next(7)).toBe(7);
    row.add(50, 10);
    expect(row.next(500)).toBe(1);
  });

  it('is no more than there are logs for', () => {
    const row = new EpochsInARow(3);
    row.add(1, 0.0001);
    expect(row.next(500)).toBe(3);
  });
});
