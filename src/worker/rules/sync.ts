import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import { batchesIn } from '../batches.js';
import type { Replica } from '../replica.js';

/**
 * Synchronous training: one mini-batch, one update. All workers compute gradients on the same weights, the gradients are
 * added up, and the sum is applied once, each worker doing so for its own slice of the parameters.
 *
 * The number of workers changes who does the work, never the result: shards are summed in shard order.
 *
 * With gradient accumulation several mini-batches make one update, with the mean of their gradients. They may come in several
 * passes; what is left over at the end of an epoch is applied by a pass of no mini-batches.
 */
export function trainSync(replica: Replica, plan: EpochPlan): EpochCounts {
  const { accumulationSteps, optimizer } = plan;
  let steps = 0;
  let updates = 0;
  let { gathered } = plan;
  const applyGathered = (): void => {
    replica.applyAccumulated(gathered, optimizer, plan.updatesBefore + updates++);
    replica.constrainTogether();
    gathered = 0;
  };
  for (let i = 0; i < batchesIn(plan); i++) {
    const batch = replica.beginBatch(plan, i);
    replica.readWeights();
    replica.compute('training', batch);
    replica.pushGradients(batch);
    if (!replica.sharesUnits) replica.meet(); // all gradients of this batch are there
    steps++;
    if (accumulationSteps === 1) {
      replica.applySum(batch, optimizer, plan.updatesBefore + updates++);
      replica.constrainTogether();
    } else {
      replica.accumulate(batch, gathered++);
      if (gathered === accumulationSteps) applyGathered();
    }
    replica.replaceStates(batch);
    if (replica.rank === 0) replica.decideHowToGoOn();
    replica.meet(); // all weights for the next batch are there
    if (replica.rank === 0) replica.control.stepsDone = steps;
    if (replica.control.stopped) break;
  }
  if (plan.steps === 0 && gathered > 0) {
    applyGathered();
    replica.meet(); // the weights are whole
  }
  // One update is the work of all: the first rank counts it.
  return { steps, updates: replica.rank === 0 ? updates : 0 };
}
