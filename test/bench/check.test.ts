import { expect, test } from 'vitest';
import { compareMeasurements } from '#shardfit/bench/check.js';

const measured = (samples: number[], name = 'a') => ({ name, unit: 'ms/update', samples });

function verdict(before: number[], after: number[]): string | undefined {
  return compareMeasurements([measured(before)], [measured(after)]).changes[0]?.verdict;
}

test('a change beyond the spread of both is real', () => {
  expect(verdict([10, 10.1, 9.9, 10.2, 10], [12, 12.1, 11.9, 12.2, 12])).toBe('slower');
  expect(verdict([12, 12.1, 11.9, 12.2, 12], [10, 10.1, 9.9, 10.2, 10])).toBe('faster');
});

test('the same change within the spread is noise', () => {
  expect(verdict([8, 10, 12, 9, 14], [9, 12, 15, 10, 13])).toBe('same');
});

test('a change of one noisy side is noise', () => {
  expect(verdict([10, 10, 10, 10, 10], [9, 10.5, 14, 8, 13])).toBe('same');
});

test('a tiny change is none, however sure', () => {
  expect(verdict([10, 10, 10], [10.1, 10.1, 10.1])).toBe('same');
});

test('one sample proves nothing', () => {
  expect(verdict([10], [20])).toBe('same');
});

test('what was measured in one report only is listed', () => {
  const result = compareMeasurements([measured([1, 1], 'gone')], [measured([1, 1], 'new')]);
  expect(result).toEqual({ changes: [], onlyBefore: ['gone'], onlyAfter: ['new'] });
});
