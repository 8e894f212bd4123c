import type { ArenaArray } from '../common/arena.js';
import type { StepProgram } from '../common/program.js';
import type { TensorMemory } from '../common/protocol.js';

/** A step program with the memory that it reads and writes. */
export interface RunnableProgram {
  readonly program: StepProgram;
  /** The values of an input of a shard, to be filled before its first stage, or those of a prediction or constraint after its last. */
  buffer(shard: number, name: string): ArenaArray;
  /** Loss and metrics of a shard, after its last stage. */
  logs(shard: number): Float32Array;
  /** Runs one stage of a shard. Gradients and parts of totals go to the shard's slots. */
  run(shard: number, stage: number, memory: TensorMemory): void;
  /**
   * Works out what the stages behind `stage` take of the parts that `count` shards have left.
   *
   * @param own the shards that this worker computes.
   */
  exchange(stage: number, count: number, own: readonly number[]): void;
}
