/** V8 does not see what shared memory holds, so the memory of one fit serves the next. */
import { expect, it } from 'vitest';
import { returnMemory, takeMemory } from '#shardfit/coordinator/arena-memory.js';

const MB = 2 ** 20;
const bytesOf = ({ buffer }: WebAssembly.Memory) => new Uint8Array(buffer);

it('memory is used again, as zeros, and grows where it must', () => {
  const first = takeMemory(10 * MB);
  bytesOf(first).fill(7);
  returnMemory(first);
  const second = takeMemory(11 * MB);
  expect(second).toBe(first);
  expect(second.buffer.byteLength).toBeGreaterThanOrEqual(11 * MB);
  // The first page is the kernels' own.
  expect(
    bytesOf(second)
      .subarray(65_536, 11 * MB)
      .every((byte) => byte === 0),
  ).toBe(true);
  returnMemory(second);
});

it('memory in use is given to nobody else', () => {
  const first = takeMemory(10 * MB);
  const second = takeMemory(10 * MB);
  expect(second).not.toBe(first);
  returnMemory(first);
  returnMemory(second);
  expect(new Set([takeMemory(10 * MB), takeMemory(10 * MB), takeMemory(10 * MB)]).size).toBe(3);
});

it('a small fit leaves large memory alone, for a large one to come', () => {
  const large = takeMemory(64 * MB);
  returnMemory(large);
  const small = takeMemory(MB);
  expect(small).not.toBe(large);
  expect(small.buffer.byteLength).toBe(MB);
  expect(takeMemory(64 * MB)).toBe(large);
});
