import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { measureLimits } from '#shardfit/bench/machine-limits.js';
import { stepWork } from '#shardfit/bench/step-work.js';
import { FACTORIES, WORKLOADS, type WorkloadName } from '#shardfit/bench/workloads/index.js';

test('limits are rates, and there are no threads left', async () => {
  const { threads, ...rates } = await measureLimits(2, 4096, 5);
  expect(threads).toBe(2);
  for (const rate of Object.values(rates)) expect(rate).toBeGreaterThan(0);
});

test('the work of a dense network is two matrix products a layer, and one more where gradients go on', () => {
  const { flops, parameterBytes, exchange } = stepWork(FACTORIES['10-20-1'](8, 8));
  const products = 2 * (10 * 20) + 3 * (20 * 1);
  expect(flops).toBeGreaterThanOrEqual(2 * 8 * products);
  expect(flops).toBeLessThan(2 * 8 * products * 1.5); // biases and means may be products, too
  expect(parameterBytes).toBe(4 * (10 * 20 + 20 + 20 + 1));
  // Of units, each shard leaves its part of 8 outputs.
  expect(exchange).toEqual({ rows: { meetings: 2, bytes: 0 }, units: { meetings: 2, bytes: 32 } });
});

test('batch norm makes workers meet more often', () => {
  expect(stepWork(FACTORIES['residual-cnn'](4, 4)).exchange.rows.meetings).toBeGreaterThan(2);
});

test.each(Object.keys(WORKLOADS) as WorkloadName[])('%s starts from the same weights every time', async (name) => {
  const workload = FACTORIES[name](2, 2);
  const models = [workload.build(), workload.build()];
  const [a, b] = models.map((model) => model.getWeights().map((weight) => Array.from(weight.dataSync())));
  expect(a).toEqual(b);
  const { x, y } = workload.data();
  expect([x.shape[0], y.shape[0]]).toEqual([2, 2]);
  tf.dispose([x, y]);
  for (const model of models) model.dispose();
});
