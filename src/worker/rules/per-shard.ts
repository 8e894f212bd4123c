import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import type { PerShardRule } from '../../common/update-rules.js';
import { batchesIn } from '../batches.js';
import type { Replica } from '../replica.js';

/**
 * Every shard is an update of its own: what `batch_size` would mean if it meant threads. Weights are read whole and
 * gradients applied whole, one at a time; but between the two other shards' updates may come, and the gradient is then
 * applied to newer weights than it was computed on.
 */
export function trainPerShard(replica: Replica, plan: EpochPlan, { maxStaleness }: PerShardRule): EpochCounts {
  const { control } = replica;
  let steps = 0;
  let updates = 0;
  for (let i = 0; i < batchesIn(plan); i++) {
    const batch = replica.beginBatch(plan, i);
    if (!replica.clocks.begins(batch.step)) break;
    replica.waitForSlowest(batch.step, maxStaleness);
    for (const shard of replica.shardsOf(batch)) {
      const version = replica.exclusively(() => {
        replica.readWeights();
        return control.version;
      });
      replica.computeGradient(shard);
      replica.exclusively(() => {
        replica.applyShard(shard, version, plan.optimizer);
        replica.constrain();
      });
      updates++;
    }
    replica.clocks.advance(++steps);
  }
  return { steps, updates };
}
