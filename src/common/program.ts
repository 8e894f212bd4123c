/**
 * What the compiler hands to the workers: an ONNX graph with the meaning of each of its inputs and outputs.
 * Plain data, so that it crosses threads as it is.
 */

export type DType = 'float32' | 'int32' | 'bool';

export interface TensorSpec {
  shape: number[];
  dtype: DType;
}

/** What a worker feeds to a program input. `index` counts in `model.weights`, `model.inputs` or `model.outputs`. */
export type InputRole =
  | { kind: 'weight'; index: number }
  | { kind: 'feature'; index: number }
  | { kind: 'target'; index: number }
  /** Weights of the rows in the loss of output `index`, shape [rows]. */
  | { kind: 'sampleWeight'; index: number }
  /** Scalar n_i/N, the rows of this shard over the rows of its mini-batch; it multiplies the loss at its seed. */
  | { kind: 'shardWeight' }
  /**
   * Numbers in [0, 1) from the counter-based generator. `stream` tells random inputs of one program apart and stays the
   * same for every shard size. `perRow`: the first axis counts rows of the shard; otherwise one draw serves all rows.
   */
  | { kind: 'uniform'; stream: number; perRow: boolean };

/** What a program output means. Everything is already multiplied by `shardWeight`: a plain sum over shards is the batch's. */
export type OutputRole =
  | { kind: 'gradient'; index: number }
  /** New value of a non-trainable weight (batch norm's moving averages). */
  | { kind: 'state'; index: number }
  /** Loss and metrics, shape [1 + metrics], in the order of `model.metricsNames`. */
  | { kind: 'logs' };

export type ProgramInput = TensorSpec & { name: string; role: InputRole };
export type ProgramOutput = TensorSpec & { name: string; role: OutputRole };

/** One traced and lowered function for one number of rows. */
export interface StepProgram {
  /** Rows of the shard that the program takes. */
  rows: number;
  onnx: Uint8Array;
  inputs: ProgramInput[];
  outputs: ProgramOutput[];
}
