import { availableParallelism } from 'node:os';
import type { SpeedModel, UpdateRule, UpdateRuleName } from '../common/update-rules.js';
import type { FitOptions } from './options.js';

/** Which rule each option belongs to. */
export const OWNERS = {
  gradientAccumulationSteps: 'sync',
  maxStaleness: 'per-shard',
  hogwildMomentum: 'hogwild',
  syncEvery: 'local',
  outerMomentum: 'local',
  outerLearningRate: 'local',
} as const satisfies Partial<Record<keyof FitOptions, UpdateRuleName>>;

/** Workers of one kind of machine: times differ by a tenth between them, and by as much from shard to shard. */
const SPEEDS = { spread: 0.1, jitter: 0.1 };

/**
 * Works out the update rule, and who does the work.
 *
 * @throws TypeError if an option is given that the chosen rule does not have.
 */
export function resolveRule(options: FitOptions): {
  rule: UpdateRule;
  speeds: SpeedModel | undefined;
  workers: number;
  shards: number;
} {
  const kind = options.update ?? 'sync';
  for (const [name, owner] of Object.entries(OWNERS)) {
    if (options[name as keyof typeof OWNERS] !== undefined && owner !== kind) {
      throw new TypeError(`${name} belongs to update: '${owner}', got update: '${kind}'`);
    }
  }
  if (options.batchStatistics === 'batch' && kind !== 'sync') {
    throw new TypeError(
      `batchStatistics: 'batch' needs update: 'sync', got update: '${kind}', under which each shard is a batch of its own`,
    );
  }
  if (options.split === 'units' && kind !== 'sync') {
    throw new TypeError(
      `split: 'units' needs update: 'sync', got update: '${kind}', under which shards have rows of their own`,
    );
  }
  if (options.transport === 'push' && kind !== 'sync') {
    throw new TypeError(
      `transport: 'push' needs update: 'sync', got update: '${kind}', under which workers share no update`,
    );
  }
  const { virtualWorkers } = options;
  checkVirtual(options);
  const asynchronous = kind === 'per-shard' || kind === 'hogwild';
  const speeds = virtualWorkers ? { ...SPEEDS, straggler: options.straggler ?? 1 } : undefined;
  const offered =
    options.workers === undefined || options.workers === 'auto' ? availableParallelism() : options.workers;
  // A replayed schedule is one thread's work: it is a sequence.
  const workers = speeds && asynchronous ? 1 : offered;
  return { rule: describeRule(kind, options), speeds, workers, shards: virtualWorkers ?? options.shards ?? workers };
}

function checkVirtual({ virtualWorkers, shards, straggler }: FitOptions): void {
  if (straggler !== undefined && virtualWorkers === undefined) {
    throw new TypeError('straggler slows a simulated worker down: it needs virtualWorkers');
  }
  if (virtualWorkers !== undefined && shards !== undefined && shards !== virtualWorkers) {
    throw new RangeError(
      `virtualWorkers means one shard each: shards must be ${virtualWorkers} or left out, got ${shards}`,
    );
  }
}

function describeRule(kind: UpdateRuleName, options: FitOptions): UpdateRule {
  if (kind === 'per-shard') return { kind, maxStaleness: options.maxStaleness ?? Number.POSITIVE_INFINITY };
  if (kind === 'hogwild') return { kind, momentum: options.hogwildMomentum ?? 'shared' };
  if (kind === 'local') {
    const { syncEvery = 1, outerMomentum = 0, outerLearningRate = 1 } = options;
    return { kind, syncEvery, outerMomentum, outerLearningRate };
  }
  return { kind };
}
