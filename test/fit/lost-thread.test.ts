/** Threads that die or fail in the middle of training: `fit` ends with an error that names the worker, and nobody hangs. */
import { beforeAll, describe, expect, it } from 'vitest';
import { fitUnderFault } from './support/fit-under-fault.js';

/** Weights after 0, 1, 2 epochs without any fault. */
const whole: string[] = [];

beforeAll(async () => {
  for (const epochs of [1, 2]) {
    const { message, sha256 } = await fitUnderFault('', epochs);
    expect(message).toBeUndefined();
    whole[epochs] = sha256;
  }
});

// Four mini-batches an epoch: the seventh is the third of the second epoch.
describe('a thread that dies', () => {
  it.each([
    ['in the middle of an epoch', 'exit 0.4 7', 1, 1],
    ['in both ranks at the same mini-batch', 'exit 0.9 7', 1, 'any'],
    ['in a validation', 'exit-evaluation 0.4 5', 1, 2],
  ])('%s ends fit with its rank and the weights of the last whole epoch', async (_, fault, rank, epochs) => {
    const outcome = await fitUnderFault(fault);
    expect(outcome.message).toMatch(
      epochs === 'any' ? /^worker [01] was lost: / : new RegExp(`^worker ${rank} was lost: `),
    );
    expect(outcome.message).toContain('exited with code: 3');
    expect(outcome).toMatchObject({ usable: true, threads: 0 });
    expect(outcome.took).toBeLessThan(5000);
    expect(outcome.sha256).toBe(epochs === 'any' ? whole[1] : whole[epochs as number]);
  });

  it('while it loads its program ends fit with its rank', async () => {
    const outcome = await fitUnderFault('exit-load');
    expect(outcome.message).toMatch(/^worker [01] was lost: worker exited with code: 3/);
    expect(outcome).toMatchObject({ usable: true, threads: 0 });
    expect(outcome.took).toBeLessThan(5000);
  });
});

describe('a thread that fails', () => {
  it('ends fit with its rank, the step and the cause, and the weights of the last whole epoch', async () => {
    const outcome = await fitUnderFault('throw 0.4 7');
    expect(outcome.message).toBe('worker 1, step 2: the program is corrupted');
    expect(outcome).toMatchObject({ usable: true, threads: 0, sha256: whole[1] });
    expect(outcome.took).toBeLessThan(5000);
  });
});
