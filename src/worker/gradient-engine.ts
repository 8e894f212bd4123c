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
  weight: number;
  /** Mini-batch of the epoch. */
  step: number;
  /** Updates that the optimizer had made before this one; keys the random numbers. */
  update: number;
}

/** Computes the gradients and logs of shards. */
export interface GradientEngine {
  /** Call once per mini-batch, when the weights are final and before the first shard. */
  weightsChanged(): void;
  /** Fills the shard's gradient slot and its logs, both times `shard.weight`. */
  gradients(shard: Shard): void;
  /** Fills the shard's logs alone, in evaluation. */
  evaluate(shard: Shard): void;
  dispose(): void;
}
