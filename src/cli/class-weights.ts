import type { Target } from '../data/table.js';
import { UsageError } from './usage-error.js';

/**
 * Weights with which all classes count alike: n / (k n_c), for n rows of k classes, n_c of them of class c. That is
 * scikit-learn's `class_weight='balanced'`, after King and Zeng, "Logistic Regression in Rare Events Data", 2001.
 *
 * @param training rows that are trained on, the first ones: only these are counted
 * @throws UsageError if the target is a number.
 */
export function balancedClassWeights(target: Target, training: number): Record<number, number> {
  if (target.kind === 'number') {
    throw new UsageError(`--class-weight balanced needs classes, but '${target.name}' holds numbers`);
  }
  const counts = new Map<number, number>();
  for (const label of target.values.subarray(0, training)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Object.fromEntries([...counts].map(([label, count]) => [label, training / (counts.size * count)]));
}
