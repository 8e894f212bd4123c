import { expect, it } from 'vitest';
import { balancedClassWeights } from '#shardfit/cli/class-weights.js';

it("balanced class weights are scikit-learn's", () => {
  // compute_class_weight('balanced', classes=[0, 1, 2], y=[0, 0, 0, 0, 1, 1, 2, 2]) is [8/12, 8/6, 8/6].
  const values = Int32Array.from([0, 0, 0, 0, 1, 1, 2, 2, 1]);
  const weights = balancedClassWeights({ kind: 'class', name: 'c', classes: ['a', 'b', 'c'], values }, 8);
  expect(weights).toEqual({ 0: 8 / 12, 1: 8 / 6, 2: 8 / 6 });
});
