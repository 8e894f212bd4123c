import { describe, expect, test } from 'vitest';
import { scheduledRate } from '#shardfit/cli/schedule-options.js';
import { oneCycle, rateAt } from '#shardfit/common/optimizers/index.js';
import { events, train } from './run-cli.js';

describe('--schedule', () => {
  // 90 updates with a rate of 1: at the first, in the middle and at the last.
  test.each([
    ['constant', [1, 1, 1]],
    ['step', [1, 0.1, 0.01]],
    ['exponential', [1, 0.1, 0.01 ** (89 / 90)]],
    ['cosine', [1, 0.5, (1 + Math.cos((Math.PI * 89) / 90)) / 2]],
    ['one-cycle', [1 / 25, undefined, 1 / 25 / 1e4]],
  ] as const)('%s covers the whole training', (schedule, [first, middle, last]) => {
    const rate = scheduledRate({ schedule }, 1, 90);
    expect(rateAt(rate, 0)).toBeCloseTo(first, 10);
    if (middle !== undefined) expect(rateAt(rate, 45)).toBeCloseTo(middle, 10);
    expect(rateAt(rate, 89)).toBeCloseTo(last, 10);
  });

  test('begins behind the warm-up', () => {
    const rate = scheduledRate({ schedule: 'cosine', warmUp: 10 }, 1, 90);
    expect([0, 4, 10, 50].map((t) => rateAt(rate, t))).toEqual([1 / 11, 5 / 11, 1, expect.closeTo(0.5)]);
  });

  test.each([
    [{ steps: 10 }, [1 / 25, (1 + 1 / 25) / 2, 1]],
    [{ steps: 2, rise: 0.5 }, [1, 1 / 25 / 1e4]],
    [{ steps: 10, rise: 0.1 }, [1, 0.96984635]],
    [{ steps: 1 }, [1 / 25 / 1e4]],
  ])('one-cycle has the rates of PyTorch, %o', (options, expected) => {
    const rate = oneCycle({ peak: 1, ...options });
    expect(expected.map((_, t) => rateAt(rate, t))).toEqual(expected.map((value) => expect.closeTo(value, 6)));
    const all = Array.from({ length: options.steps }, (_, t) => rateAt(rate, t));
    expect(all.at(-1)).toBeCloseTo(1 / 25 / 1e4, 10);
    expect(all.every((value) => value > 0 && value <= 1)).toBe(true);
  });

  test('reaches the weights, and the plan names it', async () => {
    const args = ['--data', 'digits', '--hidden', 'none', '--epochs', '2'];
    const hash = async (...more: string[]) =>
      events((await train(...args, '--json', ...more)).stdout).at(-1)?.weightsSha256;
    expect(await hash('--schedule', 'cosine')).not.toBe(await hash());
    const { stdout } = await train(...args, '--schedule', 'one-cycle', '--warm-up', '5');
    expect(stdout).toContain('sgd, learning rate 0.01, one-cycle, warm-up of 5 updates');
  });

  test.each([
    [['--schedule', 'linear'], '--schedule'],
    [['--schedule', 'cosine', '--update', 'hogwild'], '--schedule counts updates of whole mini-batches'],
    [['--warm-up', '100000'], '--warm-up 100000 is all of the training'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await train('--data', 'digits', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
