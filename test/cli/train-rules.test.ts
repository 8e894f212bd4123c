/** `shardfit train --update`: the end says what the rule did, and options that do not belong to it are refused. */
import { describe, expect, test } from 'vitest';
import { NON_TEMPORAL_COPY } from '#shardfit/common/non-temporal-copy.js';
import { events, train } from './run-cli.js';

const SMALL = ['--data', 'digits', '--hidden', '8', '--epochs', '1', '--workers', '2'];

describe('the end of a run', () => {
  test.each([
    [
      ['--update', 'per-shard'],
      /update rule +per-shard\n +updates +102 in 1 epoch\n +staleness +[\d.]+ updates on average, \d+ at most; .* ahead\n/,
      /Each mini-batch of 32 rows made 2 updates of the weights, one for each shard, applied whole, one at a time, by 2 threads: .* sync makes 1\.\n$/,
    ],
    [
      ['--update', 'hogwild', '--hogwild-momentum', 'private', '--momentum', '0.5'],
      /update rule +hogwild\n +updates +102 in 1 epoch\n +staleness/,
      /made 2 updates of the weights, one for each shard, written without locks, by 2 threads: /,
    ],
    [
      ['--update', 'local', '--sync-every', '5'],
      /update rule +local, averaged every 5 mini-batches\n +updates +11 in 1 epoch\n/,
      /was 1 step for 2 replicas of the weights, .* averaged every 5 mini-batches and at the end of an epoch, 11 times in all/,
    ],
    [
      ['--update', 'per-shard', '--virtual-workers', '16', '--straggler', '3'],
      /updates +816 in 1 epoch\n +staleness .*\n +threads +1, each mini-batch cut into 16 shards, one for each simulated worker\n/,
      /made 16 updates of the weights, one for each shard, applied whole, one at a time, by 16 simulated workers: /,
    ],
    [
      ['--update', 'per-shard', '--workers', '1'],
      /staleness +0.00/,
      /made 1 update .*: with one shard, per-shard does what sync does\.\n$/,
    ],
    [
      ['--gradient-accumulation-steps', '4'],
      /update rule +sync, an update every 4 mini-batches\n +updates +13 in 1 epoch\n/,
      /^Every 4 mini-batches of 32 rows made 1 update of the weights, with the mean of their gradients, computed by 2 threads together; .*\n$/m,
    ],
  ])('%j', async (options, counts, answer) => {
    const { code, stdout, stderr } = await train(...SMALL, '--quiet', ...options);
    expect([code, stderr]).toEqual([0, '']);
    // 1,617 rows: 51 mini-batches, the last one of 17.
    expect(stdout).toMatch(counts);
    expect(stdout).toMatch(answer);
  });

  test('--json says the rule, the updates and the staleness', async () => {
    const { stdout } = await train(...SMALL, '--json', '--update', 'per-shard', '--max-staleness', '0');
    const done = events(stdout).at(-1);
    expect(done).toMatchObject({ event: 'done', update: 'per-shard', updates: 102, staleness: { maxLead: 0 } });
    expect(done?.staleness).toMatchObject({ counts: expect.any(Array), mean: expect.any(Number) });
  });
});

test('--gradient-accumulation-steps makes the updates of a larger batch, and schedules count them', async () => {
  const losses = async (...options: string[]) => {
    const { stdout } = await train(...SMALL, '--json', '--schedule', 'cosine', '--lr', '0.5', ...options);
    const [epoch, done] = events(stdout);
    return { loss: epoch?.loss as number, updates: done?.updates, steps: done?.gradientAccumulationSteps };
  };
  const gathered = await losses('--batch-size', '8', '--gradient-accumulation-steps', '4');
  const large = await losses('--batch-size', '32');
  expect(gathered).toEqual({ loss: expect.closeTo(large.loss, 4), updates: 51, steps: 4 });
  expect(large).toMatchObject({ updates: 51, steps: undefined });
});

describe('options that do not belong to the rule are refused in the words of the command line', () => {
  test.each([
    [['--max-staleness', '3'], '--max-staleness belongs to --update per-shard, got --update sync'],
    [['--update', 'per-shard', '--sync-every', '2'], '--sync-every belongs to --update local, got --update per-shard'],
    [['--update', 'sync', '--outer-lr', '0.5'], '--outer-lr belongs to --update local, got --update sync'],
    [
      ['--update', 'local', '--gradient-accumulation-steps', '2'],
      '--gradient-accumulation-steps belongs to --update sync, got --update local',
    ],
    [['--straggler', '2'], '--straggler slows a simulated worker down: it needs --virtual-workers'],
    [
      ['--update', 'hogwild', '--virtual-workers', '4', '--shards', '3'],
      '--virtual-workers means one shard each: --shards must be 4 or left out, got 3',
    ],
  ])('%j', async (options, message) => {
    const { code, stdout, stderr } = await train(...SMALL, ...options);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: `shardfit: ${message}\n` });
  });

  test.each([
    [['--update', 'per-shards'], /must be one of sync, per-shard, hogwild, local; did you mean 'per-shard'\?/],
    [['--update', 'per-shard', '--max-staleness', '-1'], /'-1' is invalid.*whole number of at least 0/],
    [['--update', 'local', '--outer-momentum', '1'], /must be a number in \[0, 1\)/],
  ])('%j', async (options, message) => {
    const { code, stderr } = await train(...SMALL, ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

test.runIf(NON_TEMPORAL_COPY)('--transport changes how gradients go from thread to thread, and no weight', async () => {
  const done = async (transport: string) => {
    const options = ['--hidden', '64', '--seed', '1', '--split', 'rows', '--transport', transport];
    const { code, stdout } = await train(...SMALL, '--json', ...options);
    expect(code).toBe(0);
    return events(stdout).at(-1);
  };
  const [pushed, pulled] = [await done('push'), await done('pull')];
  expect([pushed?.pushed, pulled?.pushed]).toEqual([51, undefined]);
  expect(pushed?.weightsSha256).toBe(pulled?.weightsSha256);
});

test('--transport push with few weights is refused, with the number', async () => {
  const { code, stderr } = await train(...SMALL, '--transport', 'push');
  expect(code).toBe(1);
  expect(stderr).toMatch(/transport: 'push' needs (at least 1024 weights for a worker, got \d+|Linux on x86-64)/);
});
