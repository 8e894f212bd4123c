import { describe, expect, it } from 'vitest';
import { FIRST_FREE_BYTE } from '#shardfit/kernels/kernels.js';
import { workbench } from './support.js';

const { kernels, memory } = workbench(FIRST_FREE_BYTE + 100_000 * 4);

function shuffled(n: number, epoch: number, key: [number, number] = [1, 2]): number[] {
  kernels.shuffle(FIRST_FREE_BYTE, n, epoch, ...key);
  return [...new Int32Array(memory.buffer, FIRST_FREE_BYTE, n)];
}

const inOrder = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('the shuffle', () => {
  it.each([1, 2, 3, 17, 100_000])('is a permutation of %i rows', (n) => {
    expect([...shuffled(n, 0)].sort((a, b) => a - b)).toEqual(inOrder(n));
  });

  it('leaves nothing of the order', () => {
    const n = 100_000;
    const fixed = shuffled(n, 0).filter((row, position) => row === position).length;
    // Fixed points of a random permutation: Poisson with mean 1.
    expect(fixed).toBeLessThan(10);
  });

  it('is the same for the same epoch and seed, another one for others', () => {
    expect(shuffled(100, 3)).toEqual(shuffled(100, 3));
    expect(shuffled(100, 4)).not.toEqual(shuffled(100, 3));
    expect(shuffled(100, 3, [2, 2])).not.toEqual(shuffled(100, 3));
    expect(shuffled(100, 3, [1, 3])).not.toEqual(shuffled(100, 3));
  });

  it('brings every row to every position equally often', () => {
    const n = 6;
    const epochs = 12_000;
    const counts = inOrder(n * n).fill(0);
    for (let epoch = 0; epoch < epochs; epoch++) {
      shuffled(n, epoch).forEach((row, position) => {
        counts[row * n + position] = (counts[row * n + position] as number) + 1;
      });
    }
    const expected = epochs / n;
    const deviation = Math.sqrt(expected * (1 - 1 / n));
    for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(5 * deviation);
  });

  it('makes all permutations equally likely', () => {
    const counts = new Map<string, number>();
    const epochs = 12_000;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const key = shuffled(4, epoch, [7, 7]).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = epochs / 24;
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 23 degrees of freedom.
    expect(Math.abs(chiSquared - 23)).toBeLessThan(5 * Math.sqrt(46));
  });
});
