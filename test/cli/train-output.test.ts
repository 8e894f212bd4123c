import { describe, expect, test } from 'vitest';
import { events, train } from './run-cli.js';

const SMALL = ['--data', 'digits', '--hidden', '16', '--epochs', '2'];

describe('in a pipe', () => {
  test('train prints a line per epoch, a summary, and the answer for this run', async () => {
    const { code, stdout, stderr } = await train(...SMALL, '--workers', '2');
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe("data   digits: 1,797 rows, the last 180 for validation; 64 features -> 'digit', 10 classes");
    expect(lines[2]).toMatch(
      /^epoch 1\/2 {2}loss [\d.]+ {2}acc [\d.]+ {2}val_loss [\d.]+ {2}val_acc [\d.]+ {2}[\d,]+ samples\/s$/,
    );
    expect(lines[3]).toMatch(/^epoch 2\/2 {2}loss/);
    expect(stdout).toMatch(/rows +1,617 for training, 180 for validation\n/);
    expect(stdout).toMatch(/mini-batches +51 an epoch, of 32 rows, the last one of 17\n/);
    expect(stdout).toMatch(/updates +102 in 2 epochs\n/);
    expect(stdout).toMatch(/threads +2, each mini-batch cut into 2 shards\n/);
    for (const rank of [0, 1]) {
      expect(stdout).toMatch(
        new RegExp(`thread ${rank} +compute +\\d+ % +wait +\\d+ % +reduce +\\d+ % +gather +\\d+ %`),
      );
    }
    expect(stdout).toMatch(
      /Each mini-batch of 32 rows made 1 update of the weights, computed by 2 threads together, .*\.\n$/,
    );
  });

  test('the answer fits one thread, and threads without work', async () => {
    const one = await train(...SMALL, '--workers', '1', '--quiet');
    expect(one.stdout).toMatch(/Each mini-batch of 32 rows made 1 update of the weights, computed by 1 thread: /);
    const idle = await train('--data', 'diabetes', '--epochs', '1', '--batch-size', '1', '--workers', '2', '--quiet');
    expect(idle.stdout).toMatch(/of 1 row made 1 update .* by 1 thread \(1 more thread had nothing to do\)/);
    const full = await train(...SMALL, '--batch-size', 'full', '--workers', '2', '--quiet');
    expect(full.stdout).toMatch(
      /mini-batches +1 an epoch, of 1,617 rows\n {2}update rule +sync\n {2}updates +2 in 2 epochs/,
    );
    expect(full.stdout).toMatch(/Each mini-batch of 1,617 rows made 1 update/);
  });

  test('--quiet leaves the summary only', async () => {
    const { stdout } = await train(...SMALL, '--quiet');
    expect(stdout).not.toMatch(/epoch 1|data {3}/);
    expect(stdout).toMatch(/^\nDone\./);
  });
});

describe('--json', () => {
  test('prints one object a line: each epoch, and at last what was done', async () => {
    const { code, stdout, stderr } = await train(...SMALL, '--json', '--workers', '2', '--shards', '3');
    expect([code, stderr]).toEqual([0, '']);
    const [first, second, done, ...more] = events(stdout);
    expect(more).toEqual([]);
    const logs = {
      loss: expect.any(Number),
      acc: expect.any(Number),
      val_loss: expect.any(Number),
      val_acc: expect.any(Number),
    };
    expect(first).toEqual({ event: 'epoch', epoch: 0, ...logs });
    expect(second).toEqual({ event: 'epoch', epoch: 1, ...logs });
    expect(done).toEqual({
      ...{ event: 'done', update: 'sync', updates: 102, workers: 2, shards: 3, split: 'rows', batchSize: 32 },
      ...{ epochs: 2, result: { epoch: 1, ...logs } },
      samplesPerSecond: expect.any(Number),
      weightsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('the same seed and shards give the same weights for any number of workers, another seed others', async () => {
    const hash = async (...args: string[]) => {
      const { stdout } = await train(...SMALL, '--json', '--shards', '4', ...args);
      return events(stdout).at(-1)?.weightsSha256;
    };
    const one = await hash('--workers', '1', '--seed', '7');
    expect(await hash('--workers', '2', '--seed', '7')).toBe(one);
    expect(await hash('--workers', '3', '--seed', '7')).toBe(one);
    expect(await hash('--workers', '2', '--seed', '8')).not.toBe(one);
    expect(await hash('--workers', '2', '--seed', '7', '--no-shuffle')).not.toBe(one);
  });

  test('a training that diverges says so and fails', async () => {
    const { code, stdout, stderr } = await train('--data', 'diabetes', '--lr', '10', '--epochs', '2', '--json');
    expect(code).toBe(1);
    expect(events(stdout).at(1)).toMatchObject({ event: 'epoch', loss: null });
    expect(events(stdout).at(-1)).toMatchObject({ event: 'diverged' });
    expect(stderr).toMatch(/^shardfit: training diverged, the loss is \S+: try a smaller --lr than 10\n$/);
  });
});

test('training learns: digits to 0.9 of the validation rows, diabetes below the variance of its target', async () => {
  const digits = events((await train('--data', 'digits', '--lr', '0.1', '--epochs', '10', '--json')).stdout);
  expect(digits.at(-2)?.val_acc).toBeGreaterThan(0.9);
  const diabetes = events((await train('--data', 'diabetes', '--epochs', '20', '--json')).stdout);
  expect(diabetes.at(-2)?.val_loss).toBeLessThan(4000);
});
