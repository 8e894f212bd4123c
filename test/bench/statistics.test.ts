import { expect, test } from 'vitest';
import { median, quantile, spreadOf } from '#shardfit/bench/statistics.js';

test('the median is the middle, or the mean of the two in the middle', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});

test('quantiles are those of NumPy and R', () => {
  const values = [1, 2, 4, 8, 16];
  expect([0, 0.25, 0.5, 0.75, 1].map((share) => quantile(values, share))).toEqual([1, 2, 4, 8, 16]);
  expect(quantile([10, 20], 0.25)).toBe(12.5);
});

test('a spread leaves its samples as they are', () => {
  const values = [3, 1, 2];
  expect(spreadOf(values)).toEqual({ median: 2, q1: 1.5, q3: 2.5, min: 1, max: 3, samples: 3 });
  expect(values).toEqual([3, 1, 2]);
});
