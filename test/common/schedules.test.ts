/** Schedules refuse what they do not know. */
import { cosineDecay, exponentialDecay, oneCycle, stepDecay, warmUp } from 'shardfit';
import { expect, it } from 'vitest';

it.each<[string, () => unknown, string]>([
  ['stepDecay', () => stepDecay({ initial: 1, factor: 0.5, evry: 3 } as never), "'evry'; did you mean 'every'?"],
  ['exponentialDecay', () => exponentialDecay({ initial: 1, factor: 0.5, stairs: true } as never), "'stairs'"],
  ['cosineDecay', () => cosineDecay({ initial: 1, steps: 9, flor: 0.1 } as never), "'flor'; did you mean 'floor'?"],
  ['oneCycle', () => oneCycle({ peak: 1, steps: 9, raise: 0.1 } as never), "'raise'; did you mean 'rise'?"],
  ['warmUp', () => warmUp({ steps: 9, than: 0.1 } as never), "'than'; did you mean 'then'?"],
])('%s refuses an option that it does not have', (name, make, message) => {
  expect(make).toThrow(`${name} has no option ${message}`);
});

it('takes every option that they have', () => {
  expect(exponentialDecay({ initial: 1, factor: 0.5, every: 3, staircase: true })).toMatchObject({ staircase: true });
  expect(oneCycle({ peak: 1, steps: 9, rise: 0.2, startDivisor: 2, endDivisor: 3 })).toMatchObject({ endDivisor: 3 });
});
