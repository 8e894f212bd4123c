import { expect, it } from 'vitest';
import { planMemory } from '#shardfit/compiler/loops/plan-memory.js';

/** Lifetimes of values [name, elements, first step, last step]. */
function plan(...values: [string, number, number, number][]) {
  return planMemory(
    values.map(([name, size, first, last]) => ({ spec: { name, shape: [size], dtype: 'float32' }, first, last })),
  );
}

it('keeps values that are needed at the same time apart, on cache lines of their own', () => {
  const { bytes, places } = plan(['a', 3, 0, 2], ['b', 17, 1, 3], ['c', 16, 2, 2]);
  expect(places).toEqual({ a: 0, b: 64, c: 192 });
  expect(bytes).toBe(256);
});

it('gives the place of a value that is no longer needed to another', () => {
  expect(plan(['a', 16, 0, 1], ['b', 16, 1, 2], ['c', 16, 2, 3]).places).toEqual({ a: 0, b: 64, c: 0 });
});

it('puts a value into the first gap that is large enough', () => {
  const { places } = plan(
    ['a', 16, 0, 1],
    ['b', 16, 0, 9],
    ['c', 32, 0, 1],
    ['d', 16, 0, 9],
    ['e', 32, 2, 3],
    ['f', 16, 2, 3],
  );
  expect(places).toEqual({ a: 0, b: 64, c: 128, d: 256, e: 128, f: 0 });
});

it('does not give a value the place of one that the same step still reads', () => {
  const { places } = plan(['read', 16, 0, 1], ['written', 16, 1, 2]);
  expect(places.read).not.toBe(places.written);
});
