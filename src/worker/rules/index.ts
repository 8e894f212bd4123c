import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import type { Replica } from '../replica.js';
import { meetingTime } from '../simulated-time.js';
import { trainHogwild } from './hogwild.js';
import { trainLocal } from './local.js';
import { trainPerShard } from './per-shard.js';
import { replay } from './replay.js';
import { trainSync } from './sync.js';

/** Trains one epoch by the rule that the replica was set up with. */
export function trainByRule(replica: Replica, plan: EpochPlan): EpochCounts {
  const { rule, speeds } = replica.setup;
  if (rule.kind === 'per-shard' || rule.kind === 'hogwild') {
    if (speeds) return replay(replica, plan, rule, speeds);
    return rule.kind === 'hogwild' ? trainHogwild(replica, plan, rule) : trainPerShard(replica, plan, rule);
  }
  const counts = rule.kind === 'local' ? trainLocal(replica, plan, rule) : trainSync(replica, plan);
  if (!speeds || replica.rank !== 0) return counts;
  // These rules meet: the schedule of simulated workers changes their time, not what they do.
  const meetEvery = rule.kind === 'local' ? rule.syncEvery : 1;
  return { ...counts, simulatedTime: meetingTime(replica, plan, speeds, counts.steps, meetEvery) };
}
