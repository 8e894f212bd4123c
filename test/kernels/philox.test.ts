import { describe, expect, it } from 'vitest';
import { FIRST_FREE_BYTE } from '#shardfit/kernels/kernels.js';
import { workbench } from './support.js';

const { kernels, memory } = workbench(FIRST_FREE_BYTE + 64);

function block(counter: [number, number, number, number], key: [number, number]): string {
  kernels.philoxBlock(FIRST_FREE_BYTE, ...counter, ...key);
  const words = new Uint32Array(memory.buffer, FIRST_FREE_BYTE, 4);
  return [...words].map((word) => word.toString(16).padStart(8, '0')).join(' ');
}

describe('philox 4x32-10', () => {
  // Known answers of Random123 (Salmon et al.), tests/kat_vectors.
  it.each<[string, [number, number, number, number], [number, number], string]>([
    ['zeros', [0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      'ones',
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      'digits of pi',
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('gives the published block for %s', (_, counter, key, expected) => {
    expect(block(counter, key)).toBe(expected);
  });
});
