import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import type { Replica } from '../replica.js';
import { trainHogwild } from './hogwild.js';
import { trainLocal } from './local.js';
import { trainPerShard } from './per-shard.js';
import { replay } from './replay.js';
import { trainSync } from './sync.js';

/** Trains one epoch by the rule that the replica was set up with. */
export function trainByRule(replica: Replica, plan: EpochPlan): EpochCounts {
  const { rule, speeds } = replica.setup;
  if (speeds && (rule.kind === 'per-shard' || rule.kind === 'hogwild')) return replay(replica, plan, rule, speeds);
  if (rule.kind === 'per-shard') return trainPerShard(replica, plan, rule);
  if (rule.kind === 'hogwild') return trainHogwild(replica, plan, rule);
  if (rule.kind === 'local') return trainLocal(replica, plan, rule);
  return trainSync(replica, plan);
}
