import type { Task } from '../data/table.js';
import type { Activation, Loss } from './choices.js';
import type { RuleChoice } from './rule-options.js';

/** Options of `shardfit train`, read and checked. */
export interface TrainOptions extends RuleChoice {
  data: string;
  target?: string;
  task?: Task;
  model?: string;
  hidden: number[];
  activation: Activation;
  loss?: Loss;
  epochs: number;
  batchSize: number | 'full';
  workers: number | 'auto';
  shards?: number;
  /** Default: `defaultLearningRate` of the target. */
  lr?: number;
  momentum: number;
  nesterov: boolean;
  decay: number;
  validationSplit: number;
  seed: number;
  shuffle: boolean;
  save?: string;
  json: boolean;
  quiet: boolean;
}
