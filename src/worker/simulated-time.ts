import type { EpochPlan } from '../common/protocol.js';
import type { SpeedModel } from '../common/update-rules.js';
import { type Batch, batchIn } from './batches.js';
import type { Shard } from './gradient-engine.js';
import type { Replica } from './replica.js';

/** Stream of the random generator that the speeds of simulated workers are drawn from. */
const SPEED_STREAM = 0xfffffffe;

/**
 * Time that the simulated worker of a shard takes for it, in units of one row's mean time. Log-normal: a spread between
 * workers, a jitter from shard to shard.
 */
export function shardTime(
  replica: Replica,
  { index, rows, batchNumber }: Shard,
  { spread, jitter, straggler }: SpeedModel,
): number {
  const logarithm = spread * normal(replica, index, 0) + jitter * normal(replica, index, batchNumber + 1);
  return rows * Math.exp(logarithm) * (index === 0 ? straggler : 1);
}

/**
 * Time that `steps` mini-batches of an epoch would have taken where all simulated workers wait for the slowest one after
 * every `meetEvery` of them.
 */
export function meetingTime(
  replica: Replica,
  plan: EpochPlan,
  speeds: SpeedModel,
  steps: number,
  meetEvery: number,
): number {
  const workers = Array.from({ length: replica.setup.shards }, (_, index) => index);
  const timeOf = (batch: Batch, worker: number) => {
    const shard = replica.shardOf(batch, worker);
    return shard ? shardTime(replica, shard, speeds) : 0;
  };
  let total = 0;
  let busy = workers.map(() => 0);
  for (let i = 0; i < steps; i++) {
    const batch = batchIn(plan, i);
    busy = workers.map((worker) => (busy[worker] as number) + timeOf(batch, worker));
    if ((batch.step + 1) % meetEvery !== 0 && batch.step + 1 !== steps) continue;
    total += Math.max(...busy);
    busy = workers.map(() => 0);
  }
  return total;
}

/** A standard normal number, for the speed of a simulated worker at a time (Box and Muller, 1958). */
function normal(replica: Replica, worker: number, time: number): number {
  const [u, v] = replica.uniformPair(worker, time, SPEED_STREAM);
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}
