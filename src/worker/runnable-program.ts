import type { ArenaArray } from '../common/arena.js';
import type { InputRole, ProgramInput, StepProgram } from '../common/program.js';

/** Where an input of a shard that is no weight is to be put, before its first stage. */
export interface Feed {
  kind: InputRole['kind'];
  /** Of a column of the data set: which of its kind. */
  index: number;
  input: ProgramInput;
  values: ArenaArray;
}

/** Of an input that is read from `values`. */
export function feedOf(input: ProgramInput, values: ArenaArray): Feed {
  const { role } = input;
  return { kind: role.kind, index: 'index' in role ? role.index : 0, input, values };
}

/**
 * A step program with the memory that it reads and writes. What is looked at in every mini-batch is its own: objects from another
 * thread look different to V8 from one training to the next, and code that has seen them is compiled anew.
 */
export interface RunnableProgram {
  readonly program: StepProgram;
  readonly rows: number;
  readonly batchRows: number;
  /** How many. */
  readonly stages: number;
  /** The inputs of a shard that are no weights. */
  feeds(shard: number): readonly Feed[];
  /** The values of a prediction or constraint of a shard, after its last stage. */
  output(shard: number, name: string): ArenaArray;
  /** Loss and metrics of a shard, after its last stage. */
  logs(shard: number): Float32Array;
  /** Runs one stage of a shard. Gradients and parts of totals go to the shard's slots. */
  run(shard: number, stage: number): void;
  /**
   * Works out what the stages behind `stage` take of the parts that `count` shards have left.
   *
   * @param own the shards that this worker computes.
   */
  exchange(stage: number, count: number, own: readonly number[]): void;
}
