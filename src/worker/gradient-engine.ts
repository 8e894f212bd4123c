import type { Arena } from '../common/arena.js';
import type { StepProgram } from '../common/program.js';
import type { Column, DataSet, TensorMemory, Work } from '../common/protocol.js';

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
  /** Rows of the batch that it is a part of: its own where its gradient is an update of its own. */
  batchRows: number;
  /** Mini-batch of the epoch. */
  step: number;
  /** Number of its mini-batch over all epochs; keys the random numbers. */
  batchNumber: number;
}

/** Computes the gradients and logs of shards. */
export interface GradientEngine {
  readonly tensorMemory: TensorMemory;
  /** Takes in programs for more sizes of batches. */
  add(work: Work, programs: StepProgram[]): void;
  /** Takes the rows of the following shards from `data`, in the order of the arena's permutation if `shuffled`. */
  useData(data: DataSet, shuffled: boolean): void;
  /** Call when the weights have changed, before the next shard: the arena's, or a replica's own. */
  readWeights(replica?: Float32Array): void;
  /** Whether any training is done by a tape, which knows the arena only. */
  readonly usesTapes: boolean;
  /** Has training read weights and leave gradients in memory of the thread's own, or in the arena again, where that is possible. */
  trainIn?(memory: Arena | undefined): void;
  /** Stages of the work on a batch of so many rows: one, unless shards exchange anything in the middle of a step. */
  stages(work: Work, batchRows: number): number;
  /** Brings the rows of a shard, and its random numbers, to where its stages read them. */
  gather(work: Work, shard: Shard): void;
  /**
   * Runs one stage of a shard whose rows have been gathered. Training leaves the shard's part of the batch's gradient in its
   * slot, and both leave its part of the batch's logs, once the last stage has run.
   */
  run(work: Work, shard: Shard, stage: number): void;
  /** Computes the outputs of the model for one batch and puts its rows where they stand in `outputs`. */
  predict(batch: Shard, outputs: Column[]): void;
  /** Makes of a weight, the `index`-th that has a constraint, what that wants: in the vector `weights`, of the arena or a replica. */
  constrain(index: number, weights: Float32Array): void;
  /**
   * Works out the totals that stages behind `stage` need, when all of the batch's `count` shards have run it.
   *
   * @param own the shards of this worker.
   */
  exchange(work: Work, batchRows: number, stage: number, count: number, own: readonly number[]): void;
  /** Sets the states that stateful layers carry on to zero, where there can be any. */
  resetStates?(): void;
  dispose(): void;
}
