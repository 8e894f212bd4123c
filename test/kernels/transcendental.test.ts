/** exp, log, sigmoid and softmax of tapes, beside double precision. */
import { describe, expect, it } from 'vitest';
import { CALL, CALL_WORDS, UNARY } from '#shardfit/common/tape.js';
import { FIRST_FREE_BYTE } from '#shardfit/kernels/kernels.js';
import { workbench } from './support.js';

/** What a call makes of `x`: `before` stands in front of the addresses of result and operand, `words` behind them. */
function called(call: number, before: number[], x: readonly number[], words: number[]): number[] {
  const bytes = CALL_WORDS * 4;
  const [from, to] = [FIRST_FREE_BYTE + bytes, FIRST_FREE_BYTE + bytes + x.length * 4];
  const { kernels, memory, floats } = workbench(to + x.length * 4);
  floats(from, x.length).set(x);
  new Int32Array(memory.buffer, FIRST_FREE_BYTE, CALL_WORDS).set([call, ...before, to, from, ...words]);
  kernels.runTape(FIRST_FREE_BYTE, FIRST_FREE_BYTE + bytes);
  return [...floats(to, x.length)];
}

const unary = (op: keyof typeof UNARY, x: readonly number[]) => called(CALL.unary, [UNARY[op]], x, [x.length, 0, 0]);

/** The distance of two floats in units in the last place of the second. */
function ulps(actual: number, exact: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))));
  return Math.abs(actual - exact) / 2 ** (exponent - 23);
}

function farthest(op: keyof typeof UNARY, exact: (x: number) => number, x: readonly number[]): number {
  const floats = x.map(Math.fround);
  return Math.max(...unary(op, floats).map((y, i) => ulps(y, exact(floats[i] as number))));
}

/** `n` numbers from `low` to `high`, the ends included. */
const between = (low: number, high: number, n = 20_001) =>
  Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
const powers = between(-126, 127.99).map((n) => 2 ** n);

describe('four at a time', () => {
  it('exp is off by less than two units in the last place wherever its result is a normal float', () => {
    expect(farthest('Exp', Math.exp, between(-87.3, 88.7))).toBeLessThan(2);
    expect(farthest('Exp', Math.exp, between(-1, 1))).toBeLessThan(2);
  });

  it('exp has denormal numbers, 0 and infinity where they belong, and passes NaN on', () => {
    expect(farthest('Exp', Math.exp, between(-103, -87.4, 101))).toBeLessThan(2);
    expect(unary('Exp', [-1e30, -105, 89, 1e30, Number.NaN, -Infinity, Infinity, 0])).toEqual([
      ...[0, 0, Infinity, Infinity, Number.NaN, 0, Infinity, 1],
    ]);
  });

  it('log is off by less than two units in the last place for all positive floats', () => {
    expect(farthest('Log', Math.log, powers)).toBeLessThan(2);
    expect(
      farthest(
        'Log',
        Math.log,
        between(0.5, 2).filter((x) => Math.fround(x) !== 1),
      ),
    ).toBeLessThan(2);
    expect(
      farthest(
        'Log',
        Math.log,
        between(-149, -126, 24).map((n) => 2 ** n),
      ),
    ).toBeLessThan(2);
  });

  it('log has what it should have at its edges', () => {
    expect(unary('Log', [0, -0, 1, Infinity, -1, Number.NaN])).toEqual([
      ...[-Infinity, -Infinity, 0, Infinity, Number.NaN, Number.NaN],
    ]);
  });

  it('sigmoid is off by less than three units in the last place', () => {
    expect(farthest('Sigmoid', (x) => 1 / (1 + Math.exp(-x)), between(-103, 103))).toBeLessThan(3);
    expect(unary('Sigmoid', [-Infinity, Infinity, Number.NaN, 0, -0])).toEqual([0, 1, Number.NaN, 0.5, 0.5]);
  });

  it.each([1, 3, 4, 5, 10])('softmax of rows of %i is that of double precision', (columns) => {
    const x = Array.from({ length: columns * 7 }, (_, i) => Math.fround(20 * Math.sin(i * i)));
    const actual = called(CALL.softmax, [], x, [7, columns]);
    for (let row = 0; row < 7; row++) {
      const own = x.slice(row * columns, (row + 1) * columns);
      const most = Math.max(...own);
      const exponentials = own.map((v) => Math.exp(v - most));
      const sum = exponentials.reduce((a, b) => a + b);
      exponentials.forEach((value, j) => {
        expect(actual[row * columns + j]).toBeCloseTo(value / sum, 6);
      });
    }
  });

  it('gives an element the same bits wherever it stands', () => {
    const x = between(-3, 3, 11).map(Math.fround);
    for (const op of ['Exp', 'Log', 'Sigmoid', 'Sqrt', 'Reciprocal'] as const) {
      const alone = x.map((value) => unary(op, [value])[0]);
      expect(unary(op, x)).toEqual(alone);
    }
    const rows = [...x.slice().reverse(), ...x];
    const together = called(CALL.softmax, [], rows, [2, 11]);
    expect(together.slice(11)).toEqual(called(CALL.softmax, [], x, [1, 11]));
  });
});
