import { expect, it } from 'vitest';
import { FasterWay } from '#shardfit/worker/faster-way.js';

type Cost = (isSecond: boolean, step: number) => number;

/** Which of `steps` steps were done in the second way, where a step costs what `cost` says. */
function ways(steps: number, cost: Cost): boolean[] {
  const way = new FasterWay();
  const taken: boolean[] = [];
  let isSecond = false;
  for (let step = 0; step < steps; step++) {
    taken.push(isSecond);
    isSecond = way.next(cost(isSecond, step));
  }
  return taken;
}

const share = (taken: boolean[]) => taken.filter((isSecond) => isSecond).length / taken.length;

it('tries the second way for a few steps, and seldom where it is slower', () => {
  const taken = ways(5000, (isSecond) => (isSecond ? 1.2 : 1));
  expect(share(taken)).toBeGreaterThan(0.01);
  expect(share(taken)).toBeLessThan(0.04);
  expect(share(taken.slice(0, 60))).toBeGreaterThan(0);
});

it('goes over to the second way where it is faster, and tries the first', () => {
  const taken = ways(5000, (isSecond) => (isSecond ? 0.9 : 1));
  expect(share(taken)).toBeGreaterThan(0.95);
  expect(share(taken.slice(100))).toBeLessThan(1);
});

it('changes over when what is faster changes, and back', () => {
  const cost: Cost = (isSecond, step) => (isSecond === (step >= 3000 && step < 6000) ? 1 : 1.5);
  const taken = ways(9000, cost);
  expect(share(taken.slice(2000, 3000))).toBeLessThan(0.05);
  expect(share(taken.slice(4000, 6000))).toBeGreaterThan(0.95);
  expect(share(taken.slice(7000))).toBeLessThan(0.05);
});

it.each([
  ['as fast', 1],
  ['hardly faster', 0.98],
])('stays with the first where the second is %s', (_, second) => {
  expect(share(ways(5000, (isSecond) => (isSecond ? second : 1)))).toBeLessThan(0.04);
});

it('is not misled by single steps that take very long, or by the first', () => {
  const taken = ways(5000, (isSecond, step) => (isSecond ? 1.2 : 1) + (step % 4 === 0 || step === 0 ? 50 : 0));
  expect(share(taken)).toBeLessThan(0.04);
});

it.each([2, 3, 4, 6])('is not misled where every step %i takes longer, whatever the way', (period) => {
  expect(share(ways(5000, (_, step) => (step % period === 0 ? 2 : 1)))).toBeLessThan(0.04);
});

it('goes on with what it has found, and drops a trial that has not ended, when it starts again', () => {
  const way = new FasterWay();
  let isSecond = false;
  for (let step = 0; step < 200; step++) isSecond = way.next(isSecond ? 0.5 : 1);
  expect(way.isSecond).toBe(true);
  while (isSecond) isSecond = way.next(0.5); // until the first way has its trial
  way.restart();
  expect(way.next(0.5)).toBe(true);
  const taken: boolean[] = [];
  for (let step = 0; step < 700; step++) {
    taken.push(isSecond);
    isSecond = way.next(isSecond ? 0.5 : 1);
  }
  expect(share(taken)).toBeGreaterThan(0.95);
  expect(share(taken)).toBeLessThan(1);
});
