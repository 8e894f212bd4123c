import { createHash } from 'node:crypto';
import type * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { weightsOf } from './models.js';

/** Two ways to add up float32 numbers agree to this; any wrong term is far above it. */
const TOLERANCE = 1e-4;

/**
 * Expects weights to agree within 1e-4 of each tensor's largest value.
 *
 * @param leastScale taken for tensors whose values are all smaller: biases that began at 0 and whose gradients nearly cancel.
 */
export function expectSameWeights(actual: tf.LayersModel, expected: tf.LayersModel, leastScale = 0): void {
  const [a, b] = [weightsOf(actual), weightsOf(expected)];
  expect(a.map(({ length }) => length)).toEqual(b.map(({ length }) => length));
  b.forEach((values, i) => {
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), leastScale);
    const worst = values.reduce((max, value, j) => Math.max(max, Math.abs(value - (a[i]?.[j] as number))), 0);
    expect(worst, `weight ${i}`).toBeLessThanOrEqual(TOLERANCE * scale);
  });
}

/** Expects the same epochs and the same names, with values within 1e-4. */
export function expectSameHistory(actual: tf.History, expected: tf.History): void {
  expect(actual.epoch).toEqual(expected.epoch);
  expect(Object.keys(actual.history).sort()).toEqual(Object.keys(expected.history).sort());
  for (const [name, values] of Object.entries(expected.history)) {
    expect(actual.history[name]).toHaveLength(values.length);
    values.forEach((value, epoch) => {
      const difference = Math.abs((actual.history[name]?.[epoch] as number) - (value as number));
      expect(difference, `${name} of epoch ${epoch}`).toBeLessThan(TOLERANCE);
    });
  }
}

/** Hash of all weights as little-endian float32, in `model.getWeights()` order. */
export function sha256(model: tf.LayersModel): string {
  const hash = createHash('sha256');
  for (const values of weightsOf(model)) hash.update(new Uint8Array(values.buffer));
  return hash.digest('hex');
}
