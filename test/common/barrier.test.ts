import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { CONTROL_WORDS, Control } from '#shardfit/common/control.js';

interface Party {
  /** Everything the thread has said, when it has ended. */
  said: Promise<string[]>;
  /** Resolves once it has said `waiting`. */
  waiting: Promise<void>;
}

function meet(parties: number, rounds: number, present = parties): { control: Control; threads: Party[] } {
  const words = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const threads = Array.from({ length: present }, (_, rank) => {
    const workerData = { words, counter, parties, rounds, rank, waitsForOneMore: present < parties };
    const worker = new Worker(new URL('./barrier-thread.mjs', import.meta.url), { workerData });
    const messages: string[] = [];
    const said = new Promise<string[]>((resolve, reject) => {
      worker.on('message', (message) => messages.push(message));
      worker.on('error', reject);
      worker.on('exit', () => resolve(messages));
    });
    const waiting = new Promise<void>((resolve) => worker.on('message', (m) => m === 'waiting' && resolve()));
    return { said, waiting };
  });
  return { control: new Control(words), threads };
}

describe('a barrier', () => {
  it('lets nobody through before all have come, round after round', async () => {
    const { threads } = meet(2, 2_000);
    expect(await Promise.all(threads.map(({ said }) => said))).toEqual([['done'], ['done']]);
  });

  it('works with more threads than cores', async () => {
    const { threads } = meet(7, 300);
    expect(await Promise.all(threads.map(({ said }) => said))).toEqual(Array.from({ length: 7 }, () => ['done']));
  });

  it('frees all who wait when one aborts, and names it', async () => {
    const { control, threads } = meet(4, 0, 3);
    await Promise.all(threads.map(({ waiting }) => waiting));
    control.abort(3);
    const outcome = ['waiting', 'AbortedError: worker 3 failed'];
    expect(await Promise.all(threads.map(({ said }) => said))).toEqual([outcome, outcome, outcome]);
  });

  it('lets nobody begin to wait after an abort', async () => {
    const words = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
    new Control(words).abort();
    const workerData = { words, counter: new Int32Array(1), parties: 2, rounds: 1, rank: 0 };
    const worker = new Worker(new URL('./barrier-thread.mjs', import.meta.url), { workerData });
    const message = await new Promise((resolve) => worker.once('message', resolve));
    expect(message).toBe('AbortedError: training was abandoned');
  });
});
