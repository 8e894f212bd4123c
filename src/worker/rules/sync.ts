import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import type { Replica } from '../replica.js';

/**
 * Synchronous training: one mini-batch, one update. All workers compute gradients on the same weights, the gradients are
 * added up, and the sum is applied once, each worker doing so for its own slice of the parameters.
 *
 * The number of workers changes who does the work, never the result: shards are summed in shard order.
 */
export function trainSync(replica: Replica, plan: EpochPlan): EpochCounts {
  let steps = 0;
  for (const batch of replica.batches(plan)) {
    replica.readWeights();
    replica.computeGradients(batch);
    replica.meet(); // all gradients of this batch are there
    replica.applySum(batch, plan.optimizer, plan.updatesBefore + steps);
    steps++;
    if (replica.rank === 0) replica.decideWhetherToStop();
    replica.meet(); // all weights for the next batch are there
    if (replica.rank === 0) replica.control.stepsDone = steps;
    if (replica.control.stopped) break;
  }
  // One update is the work of all: the first rank counts it.
  return { steps, updates: replica.rank === 0 ? steps : 0 };
}
