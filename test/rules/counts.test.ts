/** Updates are counted exactly, none is lost, and every row is seen exactly once per epoch, under every rule. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { classes, mlp } from '../fit/support/models.js';
import { countProblems, lossProblems, lostUpdateProblems, rowProblems } from './support/checks.js';

beforeAll(() => tf.setBackend('cpu'));

const RULES: FitOptions[] = [
  { update: 'sync' },
  { update: 'per-shard' },
  { update: 'per-shard', maxStaleness: 0 },
  { update: 'hogwild' },
  { update: 'local' },
  { update: 'local', syncEvery: 3 },
];
const SIMULATED: FitOptions[] = RULES.map((rule) => ({ ...rule, virtualWorkers: 4 }));
const name = (options: FitOptions) => JSON.stringify(options);

describe.each(RULES)('%j', (rule) => {
  test.each([
    // rows, batch size, workers, shards: even, ragged, with empty shards in the last batch, one batch, single rows
    [48, 16, 2, 2],
    [53, 16, 2, 3],
    [50, 16, 3, 5],
    [20, 50, 2, 2],
    [9, 1, 2, 2],
    [37, 8, 1, 1],
  ])('%i rows in batches of %i, by %i workers, in %i shards', async (rows, batchSize, workers, shards) => {
    const { x, y } = classes(rows);
    const options = { ...rule, batchSize, workers, shards, epochs: 2, seed: 1 };
    const { run } = await fit(mlp(), x, y, options);
    expect(countProblems(run, options, rows)).toEqual([]);
    expect(run.update).toBe(rule.update);
  });
});

describe('simulated workers', () => {
  test.each(SIMULATED)('%j: counts are exact, with empty shards in the last batch', async (rule) => {
    const { x, y } = classes(49);
    const options = { ...rule, batchSize: 16, epochs: 2, seed: 1, straggler: 3, validationSplit: 0 };
    const { run } = await fit(mlp(), x, y, options);
    expect(countProblems(run, { ...options, shards: 4 }, 49)).toEqual([]);
    expect(run.simulatedTime).toBeGreaterThan(0);
  });

  test('an epoch whose last batch leaves workers without rows is validated', async () => {
    const { x, y } = classes(60);
    const options = { update: 'per-shard', virtualWorkers: 16, batchSize: 16, epochs: 4, seed: 1 } as const;
    const { history } = await fit(mlp(), x, y, { ...options, validationSplit: 0.19 });
    expect(history.val_loss).toHaveLength(4);
  });
});

// Without locks two writes of one word at once may leave one of them: counted all the same, but not to be seen in weights.
const WHOLE = [...RULES, ...SIMULATED].filter(({ update, virtualWorkers }) => update !== 'hogwild' || virtualWorkers);

test.each(WHOLE)('%j: every update that is counted stands in the weights', async (rule) => {
  const workers = rule.virtualWorkers === undefined ? { workers: 2, shards: 4 } : {};
  expect(await lostUpdateProblems(fit, { ...rule, ...workers, batchSize: 16, epochs: 3 }, 80), name(rule)).toEqual([]);
});

test.each(WHOLE)('%j: every row changes the weights exactly once per epoch', async (rule) => {
  const workers = rule.virtualWorkers === undefined ? { workers: 2, shards: 4 } : {};
  const options = { ...rule, ...workers, batchSize: 16, epochs: 2 };
  expect(await rowProblems(fit, { shards: 4, ...options }, 64), name(rule)).toEqual([]);
});

test.each(RULES)('%j: the loss of an epoch is that of every row once', async (rule) => {
  const options = { ...rule, batchSize: 4, epochs: 3, workers: 2, shards: 2 };
  expect(await lossProblems(fit, options, 8), name(rule)).toEqual([]);
});
