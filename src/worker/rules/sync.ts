import type { EpochPlan } from '../../common/protocol.js';
import type { Replica } from '../replica.js';

/**
 * Synchronous training: one mini-batch, one update. All workers compute gradients on the same weights, the gradients are
 * added up, and the sum is applied once, each worker doing so for its own slice of the parameters.
 *
 * The number of workers changes who does the work, never the result: shards are summed in shard order.
 *
 * @returns the number of updates made.
 */
export function trainSync(replica: Replica, plan: EpochPlan): number {
  let steps = 0;
  for (const batch of replica.batches(plan)) {
    replica.computeGradients(batch);
    replica.meet(); // all gradients of this batch are there
    replica.updateSlice(batch, plan.optimizer);
    steps++;
    if (replica.rank === 0) decideWhetherToStop(replica);
    replica.meet(); // all weights of the next batch are there
    if (replica.rank === 0) replica.control.stepsDone = steps;
    if (replica.control.stopped) break;
  }
  return steps;
}

/** One rank reads the request and all obey what it wrote, so that no one is a step ahead when training ends. */
function decideWhetherToStop({ control }: Replica): void {
  if (control.stopRequested) control.stopped = true;
}
