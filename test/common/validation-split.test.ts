import { describe, expect, test } from 'vitest';
import { trainingRows } from '#shardfit/common/validation-split.js';

describe('the split', () => {
  test("is Keras' floor(rows * (1 - fraction))", () => {
    expect([trainingRows(10, 0), trainingRows(10, 0.25), trainingRows(442, 0.1), trainingRows(7, 0.5)]).toEqual([
      10, 7, 397, 3,
    ]);
  });

  test('leaves a row for training', () => {
    expect(() => trainingRows(1, 0.5)).toThrow(
      new RangeError('validationSplit 0.5 leaves no row of 1 to train on; use more rows or a smaller fraction'),
    );
  });
});
