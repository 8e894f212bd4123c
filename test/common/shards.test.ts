import { describe, expect, it } from 'vitest';
import { activeShards, batchCount, batchRange, piece, shardSizes } from '#shardfit/common/shards.js';

describe('mini-batches', () => {
  it('cover every row once, the last one with what is left', () => {
    const ranges = Array.from({ length: batchCount(10, 4) }, (_, step) => batchRange(10, 4, step));
    expect(ranges).toEqual([
      { start: 0, count: 4 },
      { start: 4, count: 4 },
      { start: 8, count: 2 },
    ]);
  });

  it('are one if the batch is larger than the data', () => {
    expect(batchCount(5, 100)).toBe(1);
    expect(batchRange(5, 100, 0)).toEqual({ start: 0, count: 5 });
  });
});

describe('pieces', () => {
  it('lie one behind the other, cover everything and differ by one at most', () => {
    for (let total = 0; total <= 40; total++) {
      for (let pieces = 1; pieces <= 9; pieces++) {
        let next = 0;
        const counts = Array.from({ length: pieces }, (_, index) => {
          const { start, count } = piece(total, pieces, index);
          expect(start).toBe(next);
          next = start + count;
          return count;
        });
        expect(next).toBe(total);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(counts).toEqual([...counts].sort((a, b) => b - a));
        expect(counts.filter((count) => count > 0)).toHaveLength(activeShards(total, pieces, 'rows'));
      }
    }
  });
});

describe('shard sizes', () => {
  it('are exactly those that occur', () => {
    for (let rows = 1; rows <= 30; rows++) {
      for (const batchSize of [1, 4, 7, 30, 31]) {
        for (let shards = 1; shards <= 6; shards++) {
          const occurring = new Set<number>();
          for (let step = 0; step < batchCount(rows, batchSize); step++) {
            const { count } = batchRange(rows, batchSize, step);
            for (let i = 0; i < shards; i++) occurring.add(piece(count, shards, i).count);
          }
          occurring.delete(0);
          const sizes = shardSizes(rows, batchSize, shards);
          // A program too many costs time, one too few ends training.
          expect(sizes, `rows ${rows}, batch ${batchSize}, shards ${shards}`).toEqual(
            [...occurring].sort((a, b) => b - a),
          );
        }
      }
    }
  });
});
