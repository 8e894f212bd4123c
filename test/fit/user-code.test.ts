/** Code of the user that never ends, or fails where nobody waits for it. */
import { rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, Trainer } from 'shardfit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';
import { workerThreads } from './support/threads.js';

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeAll(async () => {
  await tf.setBackend('cpu');
  process.on('unhandledRejection', note);
});
afterAll(() => void process.off('unhandledRejection', note));

const never = () => new Promise<void>(() => {});

/** Fits until the signal ends it, some time after user code was first reached. Returns the error and the time to it. */
async function abortWhile(model: tf.LayersModel, options: (reached: () => void) => FitOptions, reason: Error) {
  const { x, y } = classes(40);
  const controller = new AbortController();
  let aborted = 0;
  const reached = () => {
    setTimeout(() => {
      aborted = performance.now();
      controller.abort(reason);
    }, 300);
  };
  const error = await fit(model, x, y, {
    ...{ workers: 2, epochs: 3, batchSize: 8 },
    ...options(reached),
    signal: controller.signal,
  }).catch((error) => error);
  return { error, took: performance.now() - aborted };
}

describe('a signal ends', () => {
  it.each(['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd', 'onTrainEnd'])(
    'the wait for an %s that never resolves',
    async (name) => {
      const model = mlp();
      const reason = new Error('enough');
      const { error, took } = await abortWhile(
        model,
        (reached) => {
          let first = true;
          const reach = () => {
            if (first) reached();
            first = false;
            return never();
          };
          return { callbacks: { [name]: reach } };
        },
        reason,
      );
      expect(error).toBe(reason);
      expect(took).toBeLessThan(1000);
      expect(workerThreads()).toBe(0);
      const { x, y } = classes(20);
      expect((await fit(model, x, y, { workers: 2 })).run.updates).toBe(1);
    },
  );

  it('the wait for an onProgress that never resolves', async () => {
    const reason = new Error('enough');
    const options = (reached: () => void) => ({
      onProgress: () => {
        reached();
        return never();
      },
    });
    const { error, took } = await abortWhile(mlp(), options, reason);
    expect(error).toBe(reason);
    expect(took).toBeLessThan(1000);
  });

  it('the wait for a modelModule that never builds its model, of a trainer whose threads go on', async () => {
    const model = mlp();
    const { x, y } = classes(20);
    const reason = new Error('enough');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 1000);
    const modelModule = new URL('./support/never-built.mjs', import.meta.url);
    await using trainer = new Trainer(model, { workers: 2 });
    const args: FitOptions = { engine: 'tfjs', batchStatistics: 'shard', modelModule, signal: controller.signal };
    await expect(trainer.fit(x, y, args)).rejects.toBe(reason);
    expect((await trainer.fit(x, y)).run.updates).toBe(1);
    await trainer.close();
    expect(workerThreads()).toBe(0);
  });
});

it('a worker that fails ends the wait of the others for a model that is never built', async () => {
  const modelModule = new URL('./support/built-by-none.mjs', import.meta.url);
  const { x, y } = classes(20);
  await expect(fit(mlp(), x, y, { engine: 'tfjs', modelModule, workers: 2 })).rejects.toThrow(/worker [01]: not here/);
  expect(workerThreads()).toBe(0);
  await rmdir(join(tmpdir(), `shardfit-built-by-none-${process.pid}`));
});

it('a callback that is at work when the signal comes has a moment to finish', async () => {
  let finished = false;
  const options = (reached: () => void) => ({
    callbacks: {
      onEpochEnd: async () => {
        reached();
        await delay(500);
        finished = true;
      },
    },
  });
  const reason = new Error('enough');
  expect((await abortWhile(mlp(), options, reason)).error).toBe(reason);
  expect(finished).toBe(true);
});

it('an onProgress that rejects ends fit with its error, and nothing is left unhandled', async () => {
  const { x, y } = classes(400);
  let calls = 0;
  const onProgress = async () => {
    calls++;
    await delay(1);
    throw new Error('no progress');
  };
  await expect(fit(mlp(), x, y, { workers: 2, epochs: 50, batchSize: 1, onProgress })).rejects.toThrow('no progress');
  await delay(50);
  expect(calls).toBe(1);
  expect(unhandled).toEqual([]);
});
