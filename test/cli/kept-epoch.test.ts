import { expect, test } from 'vitest';
import { keptEpoch } from '#shardfit/cli/kept-epoch.js';

test.each([
  ['the best', [3, 1, 2], 1],
  ['the first of two that are as good', [2, 1, 1], 1],
  ['the last where none is a number', [Number.POSITIVE_INFINITY, Number.NaN], 1],
  ['the best of those that are numbers', [Number.NaN, 1, 2], 1],
])('what earlyStopping keeps is %s of losses %j', (_, losses, epoch) => {
  const results = losses.map((loss, i) => ({ epoch: i, logs: { loss } }));
  expect(keptEpoch(results, 'loss')).toBe(results[epoch]);
});

test('without it the last is kept, and none before there is one', () => {
  const results = [1, 2].map((loss, epoch) => ({ epoch, logs: { loss } }));
  expect(keptEpoch(results, undefined)).toBe(results[1]);
  expect(keptEpoch([], 'loss')).toBeUndefined();
});
