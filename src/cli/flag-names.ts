import { UsageError } from './usage-error.js';

/** Options of the library, with the flag each has on the command line. */
const FLAGS: Record<string, string> = {
  batchSize: '--batch-size',
  epochs: '--epochs',
  validationSplit: '--validation-split',
  workers: '--workers',
  shards: '--shards',
  seed: '--seed',
  learningRate: '--lr',
  momentum: '--momentum',
  nesterov: '--nesterov',
  decay: '--decay',
  clipValue: '--clip-value',
  clipNorm: '--clip-norm',
  globalClipNorm: '--global-clip-norm',
  weightDecay: '--weight-decay',
  update: '--update',
  split: '--split',
  transport: '--transport',
  batchStatistics: '--batch-statistics',
  gradientAccumulationSteps: '--gradient-accumulation-steps',
  maxStaleness: '--max-staleness',
  hogwildMomentum: '--hogwild-momentum',
  syncEvery: '--sync-every',
  outerMomentum: '--outer-momentum',
  outerLearningRate: '--outer-lr',
  virtualWorkers: '--virtual-workers',
  straggler: '--straggler',
  // Of `study`.
  batchSizes: '--batch-sizes',
  learningRates: '--lrs',
};

/** The name of an option, with the value that is quoted behind it: `update: 'local'`. */
const NAME = new RegExp(`(?<![\\w'-])(${Object.keys(FLAGS).join('|')})(?![\\w'-])(?:: '([\\w-]+)')?`, 'g');

/**
 * Runs `check`, which looks at options of the library.
 *
 * @throws UsageError where `check` throws TypeError or RangeError, with the flags in place of the names of the options.
 */
export function withFlagNames<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw inFlags(error);
  }
}

/** `maxStaleness belongs to update: 'per-shard'` as `--max-staleness belongs to --update per-shard`. */
export function inFlags(error: unknown): unknown {
  if (!(error instanceof TypeError || error instanceof RangeError)) return error;
  const message = error.message.replace(NAME, (_, name: string, value?: string) =>
    value === undefined ? (FLAGS[name] as string) : `${FLAGS[name]} ${value}`,
  );
  return new UsageError(message);
}
