import { describe, expect, it } from 'vitest';
import { byteView, copyBytes, copyValues } from '#shardfit/common/copy.js';

const shared = (length: number) => new Float32Array(new SharedArrayBuffer(length * 4 + 8), 8, length);

describe.each([
  ['from shared memory', () => [shared(5), new Float32Array(7)] as const],
  ['into shared memory', () => [new Float32Array(5), shared(7)] as const],
  ['within it', () => [shared(5), shared(7)] as const],
])('copies %s', (_, arrays) => {
  it('all of an array, to where it is asked to', () => {
    const [from, to] = arrays();
    from.set([1, -0, Number.NaN, Infinity, 1e-45]);
    to.fill(9);
    copyValues(from, to, 1);
    expect([...to]).toEqual([9, 1, -0, Number.NaN, Infinity, Math.fround(1e-45), 9]);
  });

  it('an empty array without touching the other', () => {
    const [, to] = arrays();
    to.fill(9);
    copyValues(new Float32Array(), to, 7);
    expect([...to]).toEqual(new Array(7).fill(9));
  });

  it('nothing at all if it does not fit', () => {
    const [from, to] = arrays();
    to.fill(9);
    expect(() => copyValues(from, to, 3)).toThrow(RangeError);
    expect([...to]).toEqual(new Array(7).fill(9));
  });
});

it('converts between arrays of different types', () => {
  const to = new Float32Array(3);
  copyValues(Int32Array.of(1, -2), to, 1);
  expect([...to]).toEqual([0, 1, -2]);
});

it('copies between views of bytes that are kept', () => {
  const [from, to] = [shared(3), new Float32Array(3)];
  const [source, target] = [byteView(from), byteView(to)];
  for (const value of [1, 2]) {
    from.fill(value);
    copyBytes(source, target);
    expect([...to]).toEqual([value, value, value]);
  }
  expect(() => copyBytes(source, target.subarray(4))).toThrow('as many bytes to copy to as from, got 8 and 12');
  expect(() => copyBytes(source.subarray(4), target)).toThrow('got 12 and 8');
});
