import type { RuleChoice } from './rule-options.js';
import type { TaskOptions } from './task-options.js';

/** Options of `shardfit train`, read and checked. */
export interface TrainOptions extends TaskOptions, RuleChoice {
  epochs: number;
  batchSize: number | 'full';
  workers: number | 'auto';
  shards?: number;
  /** Default: `defaultLearningRate` of the target. */
  lr?: number;
  seed: number;
  shuffle: boolean;
  save?: string;
  json: boolean;
  quiet: boolean;
}
