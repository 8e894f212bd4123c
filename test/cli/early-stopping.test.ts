import { describe, expect, test } from 'vitest';
import { events, train } from './run-cli.js';

const epochs = (stdout: string) => events(stdout).filter(({ event }) => event === 'epoch');

describe('--early-stopping', () => {
  test('ends training when the validation loss no longer improves, and keeps the best weights', async () => {
    const args = ['--data', 'diabetes', '--lr', '0.002', '--seed', '3', '--workers', '1', '--json'];
    const { code, stdout, stderr } = await train(...args, '--epochs', '200', '--early-stopping', '3');
    expect([code, stderr]).toEqual([0, '']);
    const losses = epochs(stdout).map(({ val_loss }) => val_loss as number);
    expect(losses.length).toBeLessThan(200);
    const best = losses.indexOf(Math.min(...losses));
    expect(losses.length).toBe(best + 1 + 3);
    expect(events(stdout).at(-1)).toMatchObject({ result: { epoch: best, val_loss: losses[best] } });
    const hashes = [stdout, (await train(...args, '--epochs', `${best + 1}`)).stdout].map(
      (out) => events(out).at(-1)?.weightsSha256,
    );
    expect(hashes[0]).toBe(hashes[1]);
  });

  test('watches the training loss where nothing is kept for validation', async () => {
    const { code, stdout } = await train(
      '--data',
      'digits',
      '--validation-split',
      '0',
      '--epochs',
      '2',
      '--early-stopping',
      '1',
      '--json',
    );
    expect(code).toBe(0);
    expect(epochs(stdout)).toHaveLength(2);
  });

  test('says so in the help', async () => {
    const { stdout } = await train('--help');
    expect(stdout.replace(/\s+/g, ' ')).toContain('(with --validation-split 0: the loss of training)');
  });

  test('takes a whole number of epochs', async () => {
    const { code, stderr } = await train('--data', 'digits', '--early-stopping', '-1');
    expect(code).toBe(2);
    expect(stderr).toContain('--early-stopping');
  });
});

describe('--class-weight balanced', () => {
  test('changes what is trained', async () => {
    const args = ['--data', 'digits', '--hidden', 'none', '--epochs', '1', '--json'];
    const [plain, balanced] = [await train(...args), await train(...args, '--class-weight', 'balanced')];
    expect([plain.code, balanced.code]).toEqual([0, 0]);
    expect(events(balanced.stdout).at(-1)?.weightsSha256).not.toBe(events(plain.stdout).at(-1)?.weightsSha256);
  });

  test('is refused for numbers, and so is any other kind', async () => {
    const numbers = await train('--data', 'diabetes', '--class-weight', 'balanced');
    expect([numbers.code, numbers.stderr]).toEqual([2, expect.stringContaining('needs classes')]);
    expect((await train('--data', 'digits', '--class-weight', 'none')).code).toBe(2);
  });
});
