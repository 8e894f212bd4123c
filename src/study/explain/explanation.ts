import type { RunSummary } from '../../coordinator/run-summary.js';

/** One training of the question's network, as it was counted. */
export interface ExplainedRun {
  run: RunSummary;
  /** Updates over mini-batches, and rows trained on over updates. */
  updatesPerMiniBatch: number;
  rowsPerUpdate: number;
  updatesPerEpoch: number;
  /** Loss of the last epoch, while training and on the validation rows after it. */
  loss: number;
  validationLoss: number;
  /** Loss of every epoch, on the validation rows after it. */
  validationLosses: number[];
}

/** A training that is compared, weight by weight, with the one of one thread in `sync`. */
export interface ThreadsRun extends ExplainedRun {
  /** Largest difference of any weight from that of one thread. */
  largestDifference: number;
}

/** A training by another batch size. */
export interface BatchSizeRun extends ExplainedRun {
  kind: 'single-sample' | 'mini-batch' | 'full-batch';
  /** Scatter of its gradients at the initial weights, as a share of the length of the gradient of all rows. */
  gradientNoise: number;
}

/** The answer to the question, counted. */
export interface Explanation {
  data: { name: string; rows: number; validationRows: number; features: number; target: string };
  /** Of the target as measured: the loss is counted in squares of the deviation. */
  target: { mean: number; deviation: number };
  network: string;
  optimizer: { learningRate: number; decay: number; momentum: number };
  batchSize: number;
  workers: number;
  epochs: number;
  seed: number;
  cores: number;
  /** The same training by one thread, by all, and with every shard updating on its own. */
  oneThread: ThreadsRun;
  allThreads: ThreadsRun;
  perShard: ThreadsRun;
  /** Largest difference of any weight between two `per-shard` trainings that were told the same. */
  perShardRepeated: number;
  /** Single-sample, mini-batch and full-batch descent, in `sync`. */
  batchSizes: BatchSizeRun[];
  /** Loss of the last epoch where the target is left as it was measured. */
  unscaledLoss: number;
  /** Seconds that all of it took. */
  seconds: number;
}
