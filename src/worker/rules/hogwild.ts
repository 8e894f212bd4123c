import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import type { HogwildRule } from '../../common/update-rules.js';
import { batchesIn } from '../batches.js';
import type { Replica } from '../replica.js';

/**
 * As `per-shard`, but nobody waits for anybody: weights are read while others write them, and where two workers write the
 * same word at once one change may be lost; of a weight with a constraint also what comes while that is being applied. The
 * counts stay exact; the weights are not repeatable.
 */
export function trainHogwild(replica: Replica, plan: EpochPlan, { momentum }: HogwildRule): EpochCounts {
  const { control } = replica;
  const ownSlots = momentum === 'private' ? replica.rank : 0;
  let steps = 0;
  let updates = 0;
  for (let i = 0; i < batchesIn(plan); i++) {
    const batch = replica.beginBatch(plan, i);
    if (!replica.clocks.begins(batch.step)) break;
    replica.waitForSlowest(batch.step, Number.POSITIVE_INFINITY); // notes the lead, and lets pass
    for (const shard of replica.shardsOf(batch)) {
      const { version } = control;
      replica.readWeights();
      replica.computeGradient(shard);
      replica.applyShard(shard, version, plan.optimizer, ownSlots);
      replica.constrain();
      updates++;
    }
    replica.clocks.advance(++steps);
  }
  // A weight that two have written at once may be as neither's constraint left it. One worker alone has none of these.
  if (plan.workers > 1) replica.constrainTogether();
  return { steps, updates };
}
