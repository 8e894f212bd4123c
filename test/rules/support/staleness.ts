import type { FitOptions, StalenessSummary } from 'shardfit';
import { classes, mlp } from '../../fit/support/models.js';
import type { Fit } from './checks.js';

/** Trains 200 rows by `per-shard`, if not told otherwise, and returns what was counted. */
export async function stalenessOf(train: Fit, options: FitOptions): Promise<StalenessSummary> {
  const { x, y } = classes(200);
  const { run } = await train(mlp(), x, y, { update: 'per-shard', batchSize: 2, seed: 1, ...options });
  return run.staleness as StalenessSummary;
}

/** Updates that have a staleness. */
export const total = ({ counts }: StalenessSummary) => counts.reduce((a, b) => a + b, 0);

/** While a worker is at a mini-batch, each other one can apply no more than those from `bound` behind to `bound` ahead. */
export const mostStale = (workers: number, bound: number) => (workers - 1) * (2 * bound + 1);
