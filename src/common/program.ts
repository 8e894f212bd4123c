/**
 * What the compiler hands to the workers: ONNX graphs, loops and copies, with the meaning of each input and output.
 * Plain data, so that it crosses threads as it is.
 */

import type { Tape } from './tape.js';

export type DType = 'float32' | 'int32' | 'bool';

export interface TensorSpec {
  shape: number[];
  dtype: DType;
}

export interface NamedSpec extends TensorSpec {
  name: string;
}

/** Which piece of a tensor that is cut: the shard's own, or that of a number. */
export type PieceChoice = 'own' | number;

/** What a worker feeds to a program input. `index` counts in `model.weights`, `model.inputs` or `model.outputs`. */
export type InputRole =
  /** `piece`: of a weight that is cut along its units; see `WeightCut`. `transposed`: see `Parameter`. */
  | { kind: 'weight'; index: number; piece?: PieceChoice; transposed?: true }
  | { kind: 'feature'; index: number }
  | { kind: 'target'; index: number }
  /** Weights of the rows in the loss of output `index`, shape [rows]. */
  | { kind: 'sampleWeight'; index: number }
  /**
   * Numbers in [0, 1) from the counter-based generator. `stream` tells random inputs of one program apart and stays the
   * same for every shard size. `perRow`: the first axis counts rows of the shard; otherwise one draw serves all rows.
   * `cutAxis`: the shard's own piece along it, of a tensor of which each shard draws all.
   */
  | { kind: 'uniform'; stream: number; perRow: boolean; cutAxis?: number }
  /** The number of the shard of units: a single int32. */
  | { kind: 'shard' };

/** What a program output means. A plain sum over the shards of a mini-batch is the mini-batch's. */
export type OutputRole =
  | { kind: 'gradient'; index: number; piece?: PieceChoice; transposed?: true }
  /** New value of a non-trainable weight (batch norm's moving averages). */
  | { kind: 'state'; index: number; piece?: PieceChoice }
  /** What a weight's constraint makes of it after an update. */
  | { kind: 'constrained'; index: number }
  /** An output of the model itself. */
  | { kind: 'prediction'; index: number }
  /** Loss and metrics, shape [1 + metrics], in the order of `model.metricsNames`. */
  | { kind: 'logs' };

export type ProgramInput = NamedSpec & { role: InputRole };
export type ProgramOutput = NamedSpec & { role: OutputRole };

/** How the parts of all shards become one value, element by element. */
export type Reduction = 'sum' | 'max' | 'min' | 'prod';

/**
 * A reduction, or moments: parts [2 n + 1] are the sums of n columns, their sums of squared deviations from the shard's own mean, and the
 * number of rows; the total is the same of all rows.
 */
export type Combination = Reduction | 'moments';

/** What becomes of the parts of all shards, in the words of MPI: their reduction, all of them side by side, or each shard's piece of the sum. */
export type Collective =
  | { kind: 'all-reduce'; reduction: Combination }
  | { kind: 'all-gather'; axis: number }
  | { kind: 'reduce-scatter'; axis: number };

/** A value that each shard has a part of and whose total shards go on with. */
export interface Exchange {
  /** Name of the part, an output of stage `stage`, and of the total, an input of later stages. Both float32. */
  part: string;
  total: string;
  stage: number;
  collective: Collective;
  /** Of the part. */
  shape: number[];
}

/** A piece of a stage for ONNX Runtime. */
export interface RuntimeStep {
  onnx: Uint8Array;
  /** Names of inputs of the program, of values carried from earlier steps, and of totals. */
  inputs: string[];
  /** Names of outputs of the program, of values carried to later steps, and of parts. */
  outputs: string[];
}

/** A piece of a stage that is one pass over carried values, by a function of the program's loops. */
export interface LoopStep {
  /** Its number in the module. */
  loop: number;
  /** Where its tensors begin in the memory of a shard, or what it reads of them, in bytes. */
  addresses: number[];
}

/** A piece of a stage that is done by copying. */
export interface CopyStep {
  copies: Copy[];
}

export interface Copy {
  /** Name of a tensor, or a number that is repeated. */
  from: string | number;
  /** Name of a tensor, and its first element that is written. */
  to: string;
  at: number;
  /** Elements. */
  length: number;
}

export type ProgramStep = RuntimeStep | LoopStep | CopyStep;

/** A piece of a program between two meetings of the shards: steps, in order. */
export type ProgramStage = ProgramStep[];

/** Pages of 64 KiB that the loops' memory may have: a module imports a memory with the same maximum. */
export const LOOP_MEMORY_PAGES = 65_536;

/** The loops of a program, and the memory on which they work. */
export interface ProgramLoops {
  /** A WebAssembly module that imports the memory and exports functions, of the byte addresses of tensors, under their numbers. */
  wasm: Uint8Array;
  /** What a shard needs of the memory. */
  bytes: number;
  /** Where in it a carried value stands, in bytes. All that are float32 do. */
  places: Record<string, number>;
}

/** What one shard computes of the step of a mini-batch. */
export interface StepProgram {
  /** Set where shards have units of the layers, and all rows of the mini-batch: how many of them share the units. */
  unitShards?: number;
  /** Rows of the shard that the program takes. */
  rows: number;
  /** Rows of the mini-batch that the shard is a part of; equal to `rows` where it is all of it. */
  batchRows: number;
  /** In order. One, unless shards exchange anything in the middle of the step. */
  stages: ProgramStage[];
  /** The same without ONNX Runtime, where that is expected to be faster. */
  tape?: Tape;
  inputs: ProgramInput[];
  outputs: ProgramOutput[];
  /** Values that one step makes and a later one takes, each shard its own. */
  carried: NamedSpec[];
  /** If any step is a loop. */
  loops?: ProgramLoops;
  /** By stage. The programs of all shards of a mini-batch have the same. */
  exchanges: Exchange[];
}
