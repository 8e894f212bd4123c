/** A non-empty part of a mini-batch, as one worker computes it. */
export interface Shard {
  /** Which slot of the gradients, and which place in the logs, is its own. */
  index: number;
  /** Position of its first row in the epoch's order. */
  start: number;
  rows: number;
  /** Position of its first row in the mini-batch. */
  firstRow: number;
  /** n_i/N: its rows over those of the mini-batch. */
  share: number;
  /**
   * What its loss is multiplied by at the seed: `share` where the gradients of a mini-batch are added up, 1 where the
   * shard's gradient is an update of its own.
   */
  lossWeight: number;
  /** Mini-batch of the epoch. */
  step: number;
  /** Number of its mini-batch over all epochs; keys the random numbers. */
  batchNumber: number;
}

/** Computes the gradients and logs of shards. */
export interface GradientEngine {
  /** Call when the weights have changed, before the next shard: the arena's, or a replica's own. */
  readWeights(replica?: Float32Array): void;
  /** Fills the shard's gradient slot, times `lossWeight`, and its logs, times `share`. */
  gradients(shard: Shard): void;
  /** Fills the shard's logs alone, in evaluation. */
  evaluate(shard: Shard): void;
  dispose(): void;
}
