/** What a mini-batch does to the weights. Plain descriptions; `worker/rules` has one file for each. */
export type UpdateRule = SyncRule | PerShardRule | HogwildRule | LocalRule;

/** One mini-batch, one update: the shards' gradients are added up and applied once. */
export interface SyncRule {
  kind: 'sync';
}

/** Every shard's gradient is an update of its own, applied whole and one at a time, on weights read whole. */
export interface PerShardRule {
  kind: 'per-shard';
  /**
   * Mini-batches that the fastest worker may be ahead of the slowest (stale synchronous parallel: Ho et al., "More
   * effective distributed ML via a stale synchronous parallel parameter server", 2013). 0: nobody starts the next
   * mini-batch before all have applied this one. Infinity: no bound within an epoch.
   */
  maxStaleness: number;
}

/** As `per-shard`, without any lock: weights are read while others write them (Niu et al., "Hogwild!", 2011). */
export interface HogwildRule {
  kind: 'hogwild';
  /** Whether the workers add to one velocity or each keeps its own. */
  momentum: 'shared' | 'private';
}

/**
 * Every shard trains a replica of its own, and every `syncEvery` mini-batches the replicas are averaged (local SGD: Stich,
 * 2019). With an outer step the averaged change is taken for a gradient of Nesterov's momentum (DiLoCo: Douillard et al.,
 * 2023). Replicas are averaged at the end of each epoch too.
 */
export interface LocalRule {
  kind: 'local';
  syncEvery: number;
  /** In [0, 1). With 0 and an outer rate of 1 the weights become the average. */
  outerMomentum: number;
  outerLearningRate: number;
}

export type UpdateRuleName = UpdateRule['kind'];
export const UPDATE_RULES: UpdateRuleName[] = ['sync', 'per-shard', 'hogwild', 'local'];

/** Speeds of simulated workers, for the replay of an asynchronous schedule. */
export interface SpeedModel {
  /** Spread of the workers' speeds: standard deviation of the logarithm of the time a worker needs for a row. */
  spread: number;
  /** The same for one worker from shard to shard. */
  jitter: number;
  /** How many times longer worker 0 takes than it otherwise would. */
  straggler: number;
}

/** Whether a worker computes on a copy of the weights, which later writes to the arena leave alone. */
export function keepsOwnWeights({ kind }: UpdateRule): boolean {
  return kind === 'per-shard' || kind === 'local';
}
