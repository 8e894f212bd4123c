import { expect, test } from 'vitest';
import { bestWorkers, type Manner, type PredictionBasis, predict, updateBytes } from '#shardfit/bench/prediction.js';

const limits = [1, 2, 4].map((threads) => ({ threads, matrix: threads * 1e9, copy: 1e9, barrier: 1e-4 }));

const manner: Manner = { split: 'rows', tensorMemory: 'shared' };

/** 10 ms alone for 100 rows, of which 5 kB at 1 GB/s are next to nothing. */
const basis = (more: Partial<PredictionBasis> = {}): PredictionBasis => ({
  work: { parameterBytes: 1000, exchange: { rows: { meetings: 2, bytes: 0 }, units: { meetings: 3, bytes: 500 } } },
  batchSize: 100,
  secondsAlone: 0.01,
  limits,
  ...more,
});

test('one worker is predicted to take what it took', () => {
  expect(predict(basis(), 1, 100, manner, manner).seconds).toBeCloseTo(0.01, 12);
});

test('the parts are compute / workers, bytes / rate and barriers', () => {
  const { compute, bytes, barriers, seconds } = predict(basis(), 4, 100, manner, manner);
  expect(compute).toBeCloseTo((0.01 - 5e-6) / 4, 12);
  expect(bytes).toBeCloseTo(8e-6, 12);
  expect(barriers).toBeCloseTo(2e-4, 12);
  expect(seconds).toBeCloseTo(compute + bytes + barriers, 12);
});

test('the largest shard counts', () => {
  expect(predict(basis({ batchSize: 5 }), 4, 5, manner, manner).compute).toBeCloseTo(((0.01 - 5e-6) * 2) / 5, 12);
});

test('with the same rows for each worker, compute stays', () => {
  expect(predict(basis(), 2, 200, manner, manner).compute).toBeCloseTo(0.01 - 5e-6, 12);
});

test('copies of weights and gradients are bytes of every worker', () => {
  expect(updateBytes(1000, 3, manner)).toBe(7000);
  expect(updateBytes(1000, 3, { ...manner, tensorMemory: 'copied' })).toBe(19_000);
});

test('workers that share units have each weight and its gradient once', () => {
  expect(updateBytes(1000, 3, { split: 'units', tensorMemory: 'private' })).toBe(5000);
});

test('workers that share units have as much of them each, and exchange activations', () => {
  const { compute, bytes, barriers } = predict(basis(), 4, 100, manner, { split: 'units', tensorMemory: 'private' });
  expect(compute).toBeCloseTo((0.01 - 5e-6) / 4, 12);
  // The weights five times, and 2 x 4 x 500 bytes.
  expect(bytes).toBeCloseTo(9e-6, 12);
  expect(barriers).toBeCloseTo(3e-4, 12);
});

test('more workers are best until barriers cost more than they save', () => {
  const best = (secondsAlone: number) =>
    bestWorkers([1, 2, 4].map((workers) => predict(basis({ secondsAlone }), workers, 100, manner, manner)));
  expect([best(0.01), best(0.0001)]).toEqual([4, 1]);
});

test('limits that were not measured are an error', () => {
  expect(() => predict(basis(), 3, 100, manner, manner)).toThrow('limits of 3 threads were not measured');
});
