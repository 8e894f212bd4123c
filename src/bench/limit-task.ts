import type { LIMITS } from './machine-limits.js';

/** What a thread that measures the machine is told. */
export interface LimitTask {
  threads: number;
  /** Control words that all threads share. */
  memory: SharedArrayBuffer;
  /** A model of one matrix product: c = a b, all of `size` x `size`. */
  onnx: Uint8Array;
  size: number;
  /** Bytes that are copied at a time. */
  copyBytes: number;
  /** Time for each rate. */
  milliseconds: number;
}

/** What it found: its own share of the rates, in operations and bytes per second; seconds for one barrier. */
export type LimitReport = Record<(typeof LIMITS)[number], number>;
