import { expect, it } from 'vitest';
import { addMoments } from '#shardfit/worker/totals.js';

it('makes the moments of all rows of those of unequal shards, one of them a single row, far from 0', () => {
  // Rows of two columns.
  const shards = [
    [
      [1000.5, -3],
      [1002.25, -4],
      [999, -7],
    ],
    [[1010, 5]],
    [
      [990, 0.5],
      [1003, 1.5],
    ],
  ];
  const momentsOf = (rows: number[][]): number[] => {
    const sums = [0, 1].map((column) => rows.reduce((sum, row) => sum + (row[column] as number), 0));
    const squares = sums.map((sum, column) =>
      rows.reduce((total, row) => total + ((row[column] as number) - sum / rows.length) ** 2, 0),
    );
    return [...sums, ...squares, rows.length];
  };
  const [first, ...others] = shards.map((rows) => Float32Array.from(momentsOf(rows))) as [
    Float32Array,
    ...Float32Array[],
  ];
  for (const part of others) addMoments(first, part);
  const expected = momentsOf(shards.flat());
  for (const [i, value] of expected.entries()) expect((first[i] as number) / value).toBeCloseTo(1, 5);
});
