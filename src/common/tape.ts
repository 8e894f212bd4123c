/**
 * Tapes: small step programs as lists of calls of WebAssembly kernels on the arena, without ONNX Runtime, whose own work for each
 * operator takes longer than the arithmetic of a small network. The numbers are those of `kernels/assembly`.
 */

/** What a call does. */
export const CALL = { gemm: 0, binary: 1, unary: 2, where: 3, reduce: 4, softmax: 5, argMax: 6, copy: 7 } as const;

/** Operators of a binary call, by their names in ONNX. */
export const BINARY = {
  ...{ Add: 0, Sub: 1, Mul: 2, Div: 3, Max: 4, Min: 5, Equal: 6, Greater: 7, GreaterOrEqual: 8 },
  ...{ Less: 9, LessOrEqual: 10, And: 11, Or: 12, Pow: 13 },
} as const;

/** Operators of a unary call, by their names in ONNX but for the last two. */
export const UNARY = {
  ...{ Relu: 0, HardSigmoid: 1, Clip: 2, Neg: 3, Abs: 4, Exp: 5, Log: 6, Sqrt: 7, Reciprocal: 8, Sigmoid: 9, Tanh: 10 },
  ...{
    Softplus: 11,
    Elu: 12,
    Selu: 13,
    LeakyRelu: 14,
    Floor: 15,
    Ceil: 16,
    Sign: 17,
    Not: 18,
    notZero: 19,
    truncate: 20,
  },
} as const;

/** Operators of a reduction, by their names in ONNX. */
export const REDUCE = { ReduceSum: 0, ReduceMax: 1, ReduceMin: 2, ReduceProd: 3 } as const;

/** Words of a call: its number and its arguments. */
export const CALL_WORDS = 18;

/** Where a tensor stands, as long as nobody knows the addresses. */
export type Place =
  /** Bytes from the beginning of the scratch memory. */
  | { scratch: number }
  /** Index in `model.weights`. */
  | { weight: number }
  /** In the shard's gradient slot, where the weight of that index has its place. */
  | { gradient: number };

/** A whole number, a float or an address. */
export type Word = number | { float: number } | Place;

export interface Tape {
  /** Bytes of scratch memory. */
  scratchBytes: number;
  /** What stands in the scratch memory from the beginning. */
  constants: { at: number; values: Float32Array }[];
  /** Where inputs of the program that are no weights stand, and outputs that are no gradients: bytes in the scratch memory. */
  buffers: Record<string, number>;
  calls: Word[][];
}

/** What the tapes of a worker's programs take in the arena, in words of four bytes. */
export function tapeWords(tapes: readonly (Tape | undefined)[], shards: number): number {
  return tapes.reduce((sum, tape) => sum + (tape ? tapeBytes(tape, shards) / 4 : 0), 0);
}

/** Bytes that a tape takes in the arena, its calls once for each shard. */
export function tapeBytes({ scratchBytes, calls }: Tape, shards: number): number {
  return scratchBytes + shards * calls.length * CALL_WORDS * 4;
}
