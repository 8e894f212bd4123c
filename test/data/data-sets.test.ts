import { describe, expect, test } from 'vitest';
import { loadData } from '#shardfit/data/data-sets.js';
import type { Table } from '#shardfit/data/table.js';

/** Rows of each class among the last `count`. */
function lastClasses({ target }: Table, count: number): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const label of target.values.subarray(-count)) counts[label] = (counts[label] as number) + 1;
  return counts;
}

describe('built-in data', () => {
  test('digits: 1,797 rows of 64 pixels from 0 to 16, ten classes', async () => {
    const table = await loadData('digits');
    expect(table).toMatchObject({ rows: 1797, target: { kind: 'class', name: 'digit' } });
    expect(table.columns).toHaveLength(64);
    expect(Math.max(...table.features)).toBe(16);
    expect([...table.features.subarray(0, 8)]).toEqual([0, 0, 5, 13, 9, 1, 0, 0]);
    expect([...table.target.values.subarray(0, 10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('diabetes: 442 rows of 10 features as measured, and a number', async () => {
    const table = await loadData('diabetes');
    expect(table).toMatchObject({ rows: 442, target: { kind: 'number', name: 'progression' } });
    expect(table.columns).toEqual(['age', 'sex', 'bmi', 'bp', 's1', 's2', 's3', 's4', 's5', 's6']);
    expect([...table.features.subarray(0, 10)]).toEqual([59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]);
    expect([...table.target.values.subarray(0, 3)]).toEqual([151, 75, 141]);
  });

  test('diabetes: another column can be predicted', async () => {
    const table = await loadData('diabetes', { target: 'bmi' });
    expect(table.columns).toContain('progression');
    expect(table.target.values[0]).toBeCloseTo(32.1, 5);
  });

  test('mnist: 10,000 images in an order that is always the same and mixes the digits', async () => {
    const table = await loadData('mnist');
    expect(table.rows).toBe(10_000);
    expect(table.columns).toHaveLength(784);
    expect(Math.min(...lastClasses(table, 1000))).toBeGreaterThan(80);
    expect((await loadData('mnist')).target.values).toEqual(table.target.values);
  });

  test('an unknown name is told with the nearest one', async () => {
    await expect(loadData('digit')).rejects.toThrow("no data set is named 'digit'; did you mean 'digits'?");
    await expect(loadData('mnist', { target: 'pixel' })).rejects.toThrow(/one target, 'digit', got 'pixel'/);
  });
});
