import { describe, expect, test } from 'vitest';
import { trainingRows } from '#shardfit/common/validation-split.js';
import { fitNormalizer, normalize } from '#shardfit/data/normalizer.js';

describe('a normalizer', () => {
  test('brings the training rows to mean 0 and standard deviation 1', () => {
    const features = Float64Array.from([1, 10, 2, 30, 3, 20, 6, 60]);
    const normalizer = fitNormalizer(features, ['a', 'b'], 4);
    expect(normalizer.mean).toEqual([3, 30]);
    expect(normalizer.scale[0]).toBeCloseTo(Math.sqrt(14 / 4), 12);
    const normalized = normalize(normalizer, features);
    const column = [0, 2, 4, 6].map((index) => normalized[index] as number);
    expect(column.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 6);
    expect(column.reduce((sum, value) => sum + value ** 2, 0) / 4).toBeCloseTo(1, 6);
  });

  test('never sees a validation row', () => {
    const rows = 10;
    const training = trainingRows(rows, 0.2);
    const features = Float64Array.from({ length: rows }, (_, row) => row % 3);
    const before = fitNormalizer(features, ['a'], training);
    // Were one of them read, even once, the statistics would explode.
    features.fill(1e30, training);
    expect(fitNormalizer(features, ['a'], training)).toEqual(before);
    features.fill(Number.NaN, training);
    expect(fitNormalizer(features, ['a'], training)).toEqual(before);
    expect(normalize(before, features).subarray(training).every(Number.isNaN)).toBe(true);
  });

  test('leaves a constant column at 0, also where its mean is rounded', () => {
    const features = new Float64Array(3_000).fill(0.1);
    const normalizer = fitNormalizer(features, ['a'], 3_000);
    expect(normalizer.scale).toEqual([1]);
    expect(normalize(normalizer, features).every((value) => Math.abs(value) < 1e-9)).toBe(true);
  });

  test('keeps a small spread around a large mean', () => {
    const features = Float64Array.from({ length: 100 }, (_, row) => 1.7e12 + (row % 2));
    const normalizer = fitNormalizer(features, ['a'], 100);
    expect(normalizer.scale[0]).toBeCloseTo(0.5, 3);
    expect([...normalize(normalizer, features.subarray(0, 2))]).toEqual([expect.closeTo(-1, 3), expect.closeTo(1, 3)]);
  });

  test('refuses rows of another width', () => {
    const normalizer = fitNormalizer(Float64Array.from([1, 2, 3, 4]), ['a', 'b'], 2);
    expect(() => normalize(normalizer, [1, 2, 3])).toThrow('3 values cannot be rows of 2 columns (a, b)');
  });
});
