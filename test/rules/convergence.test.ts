/** Every rule solves what can be solved. */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { events, train } from '../cli/run-cli.js';
import { repeated, vector } from '../fit/support/linear.js';
import { weightsOf } from '../fit/support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const RULES: FitOptions[] = [
  { update: 'sync' },
  { update: 'per-shard' },
  { update: 'per-shard', maxStaleness: 0 },
  { update: 'hogwild' },
  { update: 'local', syncEvery: 4 },
];

// f(x) = sum x^2 + b.x + c with its minimum at -b / 2 (ensmallen's test of parallel SGD).
const B = [-4, -2, -3, -8];
const C = 20 + 12 + 15 + 100;
const quadratic = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.sum(tf.add(tf.square(yPred), tf.mul(yTrue, yPred)), -1);

async function solve(options: FitOptions): Promise<number[]> {
  const model = vector([0, 0, 0, 0], quadratic, tf.train.sgd(0.05));
  const { x, y } = repeated(B, 64);
  await fit(model, x, y, { batchSize: 8, epochs: 20, seed: 1, ...options });
  return [...(weightsOf(model)[0] as Float32Array)];
}

function expectSolved(found: number[]): void {
  [2, 1, 1.5, 4].forEach((value, i) => {
    expect(Math.abs((found[i] as number) - value)).toBeLessThan(1e-3);
  });
  const f = found.reduce((sum, value, i) => sum + value ** 2 + (B[i] as number) * value, C);
  expect(Math.abs(f - 123.75)).toBeLessThan(1e-3);
}

describe.each(RULES)('the quadratic, %j', (rule) => {
  test.each([1, 2, 3, 4])('%i workers', async (workers) => expectSolved(await solve({ ...rule, workers })));

  test('8 simulated workers', async () => expectSolved(await solve({ ...rule, virtualWorkers: 8 })));
});

test.each(['sync', 'per-shard', 'hogwild', 'local'])(
  'digits reach 0.95 of the validation rows by 2 workers, %s',
  async (update) => {
    const options = ['--hidden', '128', '--activation', 'tanh', '--lr', '0.1', '--epochs', '30', '--workers', '2'];
    const { stdout } = await train('--data', 'digits', '--json', '--update', update, ...options);
    const accuracies = events(stdout).map(({ val_acc: accuracy }) => Number(accuracy ?? 0));
    expect(Math.max(...accuracies)).toBeGreaterThanOrEqual(0.95);
  },
);
