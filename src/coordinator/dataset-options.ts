import type { BatchDataset } from './batch-reader.js';

/** Whether it is a `tf.data.Dataset`, or has an iterator like one. */
export function isDataset(value: unknown): value is BatchDataset {
  return typeof (value as Partial<BatchDataset> | null | undefined)?.iterator === 'function';
}

/**
 * @param forArrays what takes tensors and arrays in place of `callee`.
 * @throws TypeError if it is no data set.
 */
export function checkDataset(callee: string, dataset: unknown, forArrays: string): void {
  if (isDataset(dataset)) return;
  throw new TypeError(
    `${callee} takes a tf.data.Dataset, or another object whose iterator() gives { xs, ys }; for tensors and arrays there is ${forArrays}`,
  );
}

/** @throws RangeError for an option that is given and no whole number of at least 1. */
export function checkCounts(options: Record<string, number | undefined>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw new RangeError(`${name} must be a whole number of at least 1, got ${value}`);
  }
}
