import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import { piece } from '../../common/shards.js';
import type { LocalRule } from '../../common/update-rules.js';
import { batchesIn } from '../batches.js';
import type { Replica } from '../replica.js';

/**
 * Local SGD: every shard trains weights of its own, and only every `syncEvery` mini-batches all meet and average them. One
 * replica per shard, not per worker, so that the result does not depend on the number of workers.
 */
export function trainLocal(replica: Replica, plan: EpochPlan, { syncEvery }: LocalRule): EpochCounts {
  const { local, setup } = replica;
  const { start, count } = piece(setup.shards, setup.workers, replica.rank);
  const own = Array.from({ length: count }, (_, i) => start + i);
  let steps = 0;
  let averages = 0;
  const average = () => {
    replica.averageReplicas();
    averages++;
    local.resetRows(own);
  };
  replica.readWeights(); // those that stay fixed, too
  local.begin(own);
  for (let i = 0; i < batchesIn(plan); i++) {
    const batch = replica.beginBatch(plan, i);
    if (!replica.clocks.begins(batch.step)) break;
    for (const shard of replica.shardsOf(batch)) {
      const weights = local.weights(shard.index);
      replica.readWeights(weights);
      replica.computeGradient(shard);
      const target = local.target(shard.index, plan.optimizer);
      replica.applyTo(target, shard, plan.optimizer, plan.updatesBefore + steps);
      replica.constrain(weights);
      local.countRows(shard.index, shard.rows);
    }
    replica.clocks.advance(++steps);
    if (steps % syncEvery === 0) average();
  }
  if (steps % syncEvery !== 0) average();
  return { steps, updates: replica.rank === 0 ? averages : 0 };
}
