/** Everything that crosses from the coordinator to a worker and back, beside what they read and write in the arena. */
import type { MessagePort } from 'node:worker_threads';
import type { ArenaLayout } from './arena.js';
import type { Optimizer } from './optimizers/index.js';
import type { ParameterLayout } from './parameters.js';
import type { DType, StepProgram, TensorSpec } from './program.js';
import type { Split } from './shards.js';
import type { SpeedModel, UpdateRule } from './update-rules.js';

/** What a program is for. */
export type Work = 'training' | 'evaluation' | 'prediction' | 'constraint';

/** One input or output of the model in the data set: `segment` holds the rows one behind the other. */
export interface Column {
  segment: string;
  dtype: DType;
  /** Values in one row. */
  rowSize: number;
}

/** A data set in the arena. */
export interface DataSet {
  rows: number;
  features: Column[];
  targets: Column[];
  /** By output; undefined where all rows count alike in the loss. */
  sampleWeights: (Column | undefined)[];
}

/** A model that tfjs computes in the workers, each of which builds it anew. */
export interface EagerModel {
  /** URL of a module whose `build()` returns the compiled model; or its topology as tfjs writes it, and what it is compiled with. */
  source: { module: string } | { topology: object; loss: unknown; metrics: unknown };
  /** Of one row, for each input and output. */
  features: TensorSpec[];
  targets: TensorSpec[];
  /** Why the step has no program, if that is why tfjs computes it. */
  reason?: string;
}

/** How gradients and weights are pushed. */
export interface Push {
  /** Of the instructions, in the process (`common/non-temporal-copy`). */
  address: number;
  /** Whether they are in every step, without trials. */
  always: boolean;
}

/** What a worker is told once, when its task starts. */
export interface ReplicaSetup {
  rank: number;
  workers: number;
  shards: number;
  /** What the shards of a mini-batch in training are: some of its rows each, or all rows and some of the layers' units each. */
  split: Split;
  /** Set where gradients and weights may be pushed (`common/transport`). */
  push?: Push;
  memory: WebAssembly.Memory;
  layout: ArenaLayout;
  parameters: ParameterLayout;
  rule: UpdateRule;
  /** Set where there is a simulated worker for each shard: asynchronous rules are then replayed in one thread. */
  speeds?: SpeedModel;
  /** Key of the random generator: two 32-bit words. */
  key: [number, number];
  /** Loss and metrics per shard. */
  logCount: number;
  /** One program for each size of mini-batch and shard; of constraints, one for each weight that has one. */
  programs: Record<Work, StepProgram[]>;
  /** Set where tfjs computes the steps: the programs then only tell what there is to compute. */
  eager?: EagerModel;
  /** The control line. */
  port: MessagePort;
}

/** A way through all rows of a data set. */
export interface Pass {
  data: DataSet;
  batchSize: number;
  /** The mini-batch that it begins with. Default 0. */
  firstStep?: number;
  /** Mini-batches after which it ends. */
  steps: number;
}

/** One epoch of training, or several in a row, told to every worker alike. */
export interface EpochPlan extends Pass {
  /** How many epochs, each of which goes through the pass. More than one only with `sync`, and without simulated workers. */
  epochs: number;
  /** Updates that the optimizer has made, and mini-batches that were trained on, before this epoch. */
  updatesBefore: number;
  batchesBefore: number;
  optimizer: Optimizer;
  /** How many of the workers train, the first ones; the others do nothing. */
  workers: number;
  /** Mini-batches whose mean gradient makes one update. */
  accumulationSteps: number;
  /** Of them, those before this pass: their gradients wait. A pass of no steps makes an update of them. */
  gathered: number;
  /** Whether rows are taken in the order of the arena's permutation, which the first rank draws anew. */
  shuffled: boolean;
  /** Number of the first epoch, which keys the permutation. */
  epoch: number;
}

/** Where weights are read and gradients written: in the arena, in memory of one thread alone, or, by tfjs, in copies. */
export type TensorMemory = 'shared' | 'copied' | 'private';

/** Seconds that a worker spent in an epoch, by what it did. */
export interface TimeSplit {
  gather: number;
  compute: number;
  wait: number;
  /**
   * What shards exchange in the middle of a step (totals of batch statistics, activations), the wait for the others included, and gradients
   * that are pushed to others.
   */
  exchange: number;
  reduce: number;
}

export interface EpochCounts {
  /** Mini-batches this worker is done with: fewer than planned if training was stopped. */
  steps: number;
  /** Updates made: by this worker, or by all together and counted by the first. */
  updates: number;
  /** Time that simulated workers would have taken, in units of one row's mean time. */
  simulatedTime?: number;
}

export interface EpochReport extends EpochCounts {
  /** The most mini-batches this worker was ahead of the slowest when it began one. */
  maxLead: number;
  /** Mini-batches whose gradients and weights were pushed. */
  pushed: number;
  time: TimeSplit;
  tensorMemory: TensorMemory;
}

/** The calls a worker answers. */
export interface ReplicaApi {
  /** Compiles the programs. Resolves when the worker is ready to train. */
  load(): Promise<void>;
  /** Takes in more programs. */
  add(work: Work, programs: StepProgram[]): Promise<void>;
  trainEpoch(plan: EpochPlan): Promise<EpochReport>;
  /** Sets the states that stateful layers carry from one mini-batch to the next to zero. */
  resetStates(): Promise<void>;
  /** Forward passes and losses; the logs stand in the arena when it resolves. */
  evaluate(pass: Pass): Promise<void>;
  /** Forward passes; when it resolves, the rows of each output of the model stand in the arena. */
  predict(pass: Pass, outputs: Column[]): Promise<void>;
  /** Frees the programs and ends the worker's task. */
  close(): Promise<void>;
}
