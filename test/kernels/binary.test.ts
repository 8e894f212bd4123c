/** Operators on two tensors: four pairs at a time have the bits of one pair. */
import { describe, expect, it } from 'vitest';
import { BINARY, CALL, CALL_WORDS } from '#shardfit/common/tape.js';
import { FIRST_FREE_BYTE } from '#shardfit/kernels/kernels.js';
import { workbench } from './support.js';

const A = [1.5, -0, 0, Number.NaN, Infinity, -Infinity, -2.25, 3e38, 1e-40, 7, 0.1].map(Math.fround);
const B = [-3, 0, -0, 2, Infinity, 1, -2.25, 3e38, -1e-40, Number.NaN, 0.3].map(Math.fround);

/** a op b, element by element, where a stride of 0 repeats the first element. */
function combined(op: number, a: number[], b: number[], strides: [a: number, b: number], n: number): number[] {
  const bytes = CALL_WORDS * 4;
  const at = (k: number) => FIRST_FREE_BYTE + bytes + k * 64;
  const { kernels, memory, floats } = workbench(at(3));
  floats(at(0), a.length).set(a);
  floats(at(1), b.length).set(b);
  const words = [CALL.binary, op, at(2), at(0), at(1), 1, 1, n, 0, 0, strides[0], 0, 0, strides[1]];
  new Int32Array(memory.buffer, FIRST_FREE_BYTE, CALL_WORDS).set(words);
  kernels.runTape(FIRST_FREE_BYTE, FIRST_FREE_BYTE + bytes);
  return [...floats(at(2), n)];
}

describe.each(Object.entries(BINARY))('%s', (_, op) => {
  it.each<[number, number]>([
    [4, 4],
    [0, 4],
    [4, 0],
  ])('with strides of %i and %i', (aStride, bStride) => {
    const n = A.length;
    const one = (i: number) => {
      const [x, y] = [A[aStride ? i : 0] as number, B[bStride ? i : 0] as number];
      return combined(op, [x], [y], [4, 4], 1)[0];
    };
    expect(combined(op, A, B, [aStride, bStride], n)).toEqual(A.map((_, i) => one(i)));
  });
});
