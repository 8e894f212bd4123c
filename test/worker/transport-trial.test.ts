import { expect, it } from 'vitest';
import { CONTROL_WORDS, Control } from '#shardfit/common/control.js';
import type { ReplicaSetup } from '#shardfit/common/protocol.js';
import { TransportTrial } from '#shardfit/worker/transport-trial.js';

/** Waits by the clock: a step that takes so long. */
function spend(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const setupOf = (length: number) =>
  ({ parameters: { length }, shards: 2, workers: 2, programs: { training: [{ batchRows: 8 }] } }) as ReplicaSetup;

/** A trial in a training of its own, and what it decides about. */
function begun(length: number, always = false) {
  const control = new Control(new Int32Array(CONTROL_WORDS));
  const trial = new TransportTrial(control, setupOf(length), always);
  trial.beginPass(2);
  return { control, trial };
}

/** Steps of which pushed ones are faster; how many of them were pushed. */
function train({ control, trial }: ReturnType<typeof begun>, steps: number): number {
  let pushed = 0;
  for (let i = 0; i < steps; i++) {
    if (control.pushing) pushed++;
    spend(control.pushing ? 0.1 : 0.3);
    trial.decide();
  }
  return pushed;
}

it('pulls until a trial shows that pushing is faster, and begins the next training of its kind with that', () => {
  const first = begun(1);
  expect(first.control.pushing).toBe(false);
  expect(train(first, 50)).toBeLessThan(10);
  expect(train(first, 100)).toBeGreaterThan(60);
  expect(begun(1).control.pushing).toBe(true);
  expect(begun(2).control.pushing).toBe(false);
});

it('pushes always if it is told to, and never tries with one worker', () => {
  const insisting = begun(3, true);
  expect(train(insisting, 100)).toBe(100);
  const alone = begun(3);
  alone.trial.beginPass(1);
  expect(train(alone, 100)).toBe(0);
});
