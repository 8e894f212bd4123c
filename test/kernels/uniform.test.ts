import { describe, expect, it } from 'vitest';
import { FIRST_FREE_BYTE } from '#shardfit/kernels/kernels.js';
import { workbench } from './support.js';

const ROWS = 1000;
const PER_ROW = 99;
const { kernels, floats } = workbench(FIRST_FREE_BYTE + ROWS * PER_ROW * 4 + 64);

interface Draw {
  firstRow?: number;
  rows?: number;
  perRow?: number;
  step?: number;
  stream?: number;
  key?: [number, number];
}

function draw({ firstRow = 0, rows = ROWS, perRow = PER_ROW, step = 0, stream = 0, key = [1, 2] }: Draw = {}) {
  kernels.fillUniform(FIRST_FREE_BYTE, firstRow, rows, perRow, step, stream, ...key);
  return Float32Array.from(floats(FIRST_FREE_BYTE, rows * perRow));
}

function correlation(a: Float32Array, b: Float32Array): number {
  // Of numbers that are uniform in [0, 1): mean 1/2, variance 1/12.
  return (a.reduce((sum, value, i) => sum + (value - 0.5) * ((b[i] as number) - 0.5), 0) * 12) / a.length;
}

describe('uniform numbers', () => {
  it('have the moments of [0, 1) and fill it evenly', () => {
    const numbers = draw();
    const n = numbers.length;
    const mean = numbers.reduce((a, b) => a + b, 0) / n;
    const variance = numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    // Five standard errors: sqrt(1/12/n) and sqrt(1/180/n).
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / n));
    expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true);
    const bins = new Array(100).fill(0);
    for (const value of numbers) bins[Math.floor(value * 100)]++;
    const chiSquared = bins.reduce((sum, count) => sum + (count - n / 100) ** 2 / (n / 100), 0);
    // 99 degrees of freedom: mean 99, standard deviation sqrt(198).
    expect(Math.abs(chiSquared - 99)).toBeLessThan(5 * Math.sqrt(198));
  });

  it('do not depend on how a batch is cut into shards', () => {
    const whole = draw({ rows: 10 });
    const pieces = [draw({ rows: 4 }), draw({ firstRow: 4, rows: 3 }), draw({ firstRow: 7, rows: 3 })];
    expect(pieces.flatMap((piece) => [...piece])).toEqual([...whole]);
  });

  it.each([
    ['step', { step: 1 }],
    ['stream', { stream: 1 }],
    ['first word of the key', { key: [2, 2] as [number, number] }],
    ['second word of the key', { key: [1, 3] as [number, number] }],
    ['row', { firstRow: ROWS }],
  ])('are others with another %s, and not related to the first ones', (_, change) => {
    const numbers = draw();
    expect(Math.abs(correlation(numbers, numbers) - 1)).toBeLessThan(0.05);
    expect(Math.abs(correlation(numbers, draw(change)))).toBeLessThan(5 / Math.sqrt(numbers.length));
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('fill rows of %i and nothing behind', (perRow) => {
    floats(FIRST_FREE_BYTE, 40).fill(-1);
    const rows = draw({ rows: 3, perRow });
    expect(rows.every((value) => value >= 0)).toBe(true);
    expect(floats(FIRST_FREE_BYTE, 40)[3 * perRow]).toBe(-1);
    expect(new Set(rows).size).toBe(3 * perRow);
  });

  it.each([3, 15, 16, 17, 64, 99])('are those of the generator, block after block (%i a row)', (perRow) => {
    const [firstRow, step, stream, key] = [13, 5, 2, [0xdeadbeef, 0x12345678]] as const;
    const numbers = draw({ firstRow, rows: 2, perRow, step, stream, key: [...key] });
    const wanted = [0, 1].flatMap((row) => {
      const blocks = Array.from({ length: Math.ceil(perRow / 4) }, (_, block) => {
        kernels.philoxBlock(FIRST_FREE_BYTE, block, firstRow + row, stream, step, ...key);
        return [...new Uint32Array(floats(FIRST_FREE_BYTE, 4).slice().buffer)];
      });
      // Of 32 bits the first 24, which a float32 holds exactly.
      return blocks
        .flat()
        .slice(0, perRow)
        .map((bits) => (bits >>> 8) * 2 ** -24);
    });
    expect([...numbers]).toEqual(wanted);
  });
});
