/** What a test draws is the same every time: initializers without a seed, and the seeds of runs that name none, come from `Math.random`. */
import { afterAll, beforeAll } from 'vitest';

const { random } = Math;

beforeAll(() => {
  Math.random = mulberry32(1);
});

afterAll(() => {
  Math.random = random;
});

/** Tommy Ettinger's generator of 32-bit state, in [0, 1): https://gist.github.com/tommyettinger/46a874533244883189143505d203312c. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
