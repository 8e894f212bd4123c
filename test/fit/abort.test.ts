/** `signal` ends training within a second, at a whole update, and leaves no thread. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, type RunSummary } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from './support/matchers.js';
import { classes, mlp, weightsOf } from './support/models.js';
import { expectNoThreads, workerThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

const BATCH = 4;
/** More than can be trained on before the tests stop it. */
const ROWS = 400_000;
const ARGS: FitOptions = { batchSize: BATCH, epochs: 50, shuffle: false, workers: 2 };

const momentum = () => tf.train.momentum(0.01, 0.9);

/** x and y of `rows` rows, the first of them always the same. */
function endless(rows = ROWS) {
  const { x, y } = classes(500);
  const tile = (t: tf.Tensor) => t.tile([Math.ceil(rows / 500), 1]).slice([0, 0], [rows, -1]);
  return { x: tile(x), y: tile(y) };
}

interface Ending {
  error: Error & { run?: RunSummary };
  /** Milliseconds from the abort to the end of fit. */
  took: number;
  model: tf.LayersModel;
}

/** Aborts when `begun` is called and waits for the end. */
async function abortedFit(
  options: (begun: () => void) => FitOptions,
  reason?: unknown,
  data = endless(),
): Promise<Ending> {
  const model = mlp(momentum());
  const controller = new AbortController();
  let aborted = 0;
  const begun = () => {
    if (aborted) return;
    aborted = performance.now();
    controller.abort(reason);
  };
  const error = await fit(model, data.x, data.y, { ...ARGS, ...options(begun), signal: controller.signal }).then(
    () => new Error('fit trained to its end'),
    (error: Error) => error,
  );
  return { error, took: performance.now() - aborted, model };
}

/** The weights after the first `updates` mini-batches. */
async function truncated(updates: number): Promise<string> {
  const { x, y } = endless(updates * BATCH);
  const model = mlp(momentum());
  const { run } = await fit(model, x, y, { ...ARGS, epochs: 1 });
  expect(run.updates).toBe(updates);
  return sha256(model);
}

describe('a signal', () => {
  it('ends an epoch within a second, at a whole update whose weights the model holds', async () => {
    const reason = new Error('enough');
    const { error, took, model } = await abortedFit((begun) => ({ onProgress: begun }), reason);
    expect(error).toBe(reason);
    expect(took).toBeLessThan(1000);
    expect(workerThreads()).toBe(0);
    const updates = error.run?.updates as number;
    expect(updates).toBeGreaterThan(0);
    expect(updates * BATCH).toBeLessThan(ROWS);
    expect(sha256(model)).toBe(await truncated(updates));
  });

  it('has an AbortError for its reason if none is given', async () => {
    const { error } = await abortedFit((begun) => ({ onProgress: begun }));
    expect(error.name).toBe('AbortError');
  });

  it('may carry a reason that is no Error', async () => {
    const { error } = await abortedFit((begun) => ({ onProgress: begun }), 'enough');
    expect(error).toBe('enough');
  });

  it('may carry a frozen reason', async () => {
    const reason = Object.freeze(new Error('enough'));
    const { error } = await abortedFit((begun) => ({ onProgress: begun }), reason);
    expect(error).toBe(reason);
  });

  it.each(['onTrainBegin', 'onEpochBegin', 'onBatchEnd', 'onEpochEnd'])('ends training from %s', async (name) => {
    const epochs: number[] = [];
    const data = name === 'onEpochEnd' ? endless(8) : endless();
    const { error, took } = await abortedFit(
      (begun) => ({
        callbacks: {
          [name]: async () => begun(),
          ...(name !== 'onEpochBegin' && { onEpochBegin: async (epoch: number) => void epochs.push(epoch) }),
        },
      }),
      undefined,
      data,
    );
    expect(error.name).toBe('AbortError');
    expect(took).toBeLessThan(1000);
    expect(epochs.length).toBeLessThanOrEqual(1);
    expect(workerThreads()).toBe(0);
  });

  it('ends a validation, with the weights of the epoch before it', async () => {
    const validation = endless(ROWS);
    let validating = false;
    const { error, took, model } = await abortedFit(
      (begun) => ({
        validationData: [validation.x, validation.y],
        callbacks: {
          // Nothing tells that a validation has begun. This one takes seconds.
          onBatchEnd: async () => void setTimeout(begun, 100),
          onEpochEnd: async () => {
            validating = true;
          },
        },
      }),
      undefined,
      endless(BATCH),
    );
    expect(error.name).toBe('AbortError');
    expect(validating).toBe(false);
    expect(took).toBeLessThan(1000);
    expect(workerThreads()).toBe(0);
    expect(error.run?.updates).toBe(1);
    expect(sha256(model)).toBe(await truncated(1));
  });

  it('that is aborted already starts nothing', async () => {
    const reason = new Error('too late');
    const { x, y } = classes(10);
    const model = mlp();
    const before = weightsOf(model);
    await expectNoThreads(() => expect(fit(model, x, y, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason));
    expect(weightsOf(model)).toEqual(before);
  });

  it('that aborts while data is read starts nothing', async () => {
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    const { x, y } = classes(10);
    await expectNoThreads(async () => {
      const training = fit(mlp(), x, y, { signal: controller.signal });
      controller.abort(reason);
      await expect(training).rejects.toBe(reason);
    });
  });

  it('is let go of after training', async () => {
    const { x, y } = classes(10);
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await fit(mlp(), x, y, { signal });
    expect(listeners).toBe(0);
    controller.abort();
  });

  it('leaves a model that can be trained on', async () => {
    const { model } = await abortedFit((begun) => ({ onProgress: begun }));
    const { x, y } = classes(20);
    const history = await fit(model, x, y, { epochs: 2, workers: 2 });
    expect(history.run.updates).toBe(2);
  });
});
