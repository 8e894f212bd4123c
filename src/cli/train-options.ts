import type { OptimizerChoice } from './optimizer-options.js';
import type { RuleChoice } from './rule-options.js';
import type { ScheduleChoice } from './schedule-options.js';
import type { TaskOptions } from './task-options.js';

/** Options of `shardfit train`, read and checked. */
export interface TrainOptions extends TaskOptions, OptimizerChoice, ScheduleChoice, RuleChoice {
  epochs: number;
  batchSize: number | 'full';
  workers: number | 'auto';
  shards?: number;
  seed: number;
  shuffle: boolean;
  /** Epochs without improvement after which training ends. */
  earlyStopping?: number;
  classWeight?: 'balanced';
  save?: string;
  json: boolean;
  quiet: boolean;
}
