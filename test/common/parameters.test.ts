import { describe, expect, it } from 'vitest';
import { LINE, layOutParameters } from '#shardfit/common/parameters.js';

describe('the vector of parameters', () => {
  const weights = [
    { index: 0, name: 'fixed', shape: [5], role: 'fixed' as const },
    { index: 1, name: 'kernel', shape: [3, 7], role: 'trained' as const },
    { index: 2, name: 'average', shape: [4], role: 'replaced' as const },
    { index: 3, name: 'bias', shape: [], role: 'trained' as const },
  ];

  it('holds trained weights first, then replaced, then fixed ones, each on its own cache line', () => {
    const layout = layOutParameters(weights);
    expect(layout.parameters.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ['kernel', 0, 21],
      ['bias', 2 * LINE, 1],
      ['average', 3 * LINE, 4],
      ['fixed', 4 * LINE, 5],
    ]);
    expect(layout).toMatchObject({ trainedEnd: 3 * LINE, replacedEnd: 4 * LINE, length: 5 * LINE });
  });

  it('keeps the index of each weight in the model', () => {
    expect(layOutParameters(weights).parameters.map(({ index }) => index)).toEqual([1, 3, 2, 0]);
  });
});
