import type { UpdateRuleName } from '../common/update-rules.js';
import type { FitOptions } from '../coordinator/options.js';

/** Options of one rule each, given to the trainings by that rule. */
export type RuleOptions = Pick<
  FitOptions,
  'maxStaleness' | 'hogwildMomentum' | 'syncEvery' | 'outerMomentum' | 'outerLearningRate' | 'straggler'
>;

/** How far a study has come. */
export interface StudyProgress {
  /** Trainings that are done, and their number. */
  done: number;
  total: number;
  /** Of those that are done: found in the journal of an earlier, stopped study. */
  found: number;
  /** Name of the training that just ended; undefined at the start. */
  last?: string;
  /** Final loss of that training; NaN if it diverged. */
  loss?: number;
  /** Seconds until the end at the speed so far; undefined before the first training has ended. */
  secondsLeft?: number;
}

/** What `study` goes through, and where it writes. */
export interface StudyOptions extends RuleOptions {
  /** Folder of the journal, `report.html` and `runs.csv`. Made if it is missing. */
  folder: string;
  /** Default: all of them. */
  rules?: UpdateRuleName[];
  /** Default 32, 128, 512. */
  batchSizes?: number[];
  /** Numbers of threads. Default 1 and 2. */
  workers?: number[];
  /** Numbers of simulated workers. Default 8. */
  virtualWorkers?: number[];
  /** Default 0.03, 0.1, 0.3. */
  learningRates?: number[];
  /** Each fixes initial weights and the order of rows. Default 0, 1, 2. */
  seeds?: number[];
  /** Default 8. */
  epochs?: number;
  /** Last fraction of the rows, whose loss is compared. With 0, the loss of training is. Default 0.1. */
  validationSplit?: number;
  /** Of SGD, in every training. */
  momentum?: number;
  nesterov?: boolean;
  decay?: number;
  /** Loss to be reached. Default: one that half of the trainings reach. */
  targetLoss?: number;
  /** Ends the study after the update it is at. What is done stays in the journal. */
  signal?: AbortSignal;
  onProgress?: (progress: StudyProgress) => void;
}
