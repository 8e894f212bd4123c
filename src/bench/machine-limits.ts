import { Worker } from 'node:worker_threads';
import { CONTROL_WORDS, Control } from '../common/control.js';
import { Graph } from '../compiler/graph/value.js';
import { encodeModel } from '../compiler/onnx/encode.js';
import type { LimitReport, LimitTask } from './limit-task.js';

export const LIMITS = ['matrix', 'copy', 'barrier'] as const;

/** What so many threads can do at best on this machine. */
export interface MachineLimits {
  threads: number;
  /** Floating-point operations per second of matrix products, all threads together. */
  matrix: number;
  /** Bytes read and written per second by copying, all threads together. */
  copy: number;
  /** Seconds for one meeting of all threads. */
  barrier: number;
}

/** Side of the matrices: as large as those of common layers, and few enough to stay in a core's own cache. */
const SIZE = 256;

/**
 * Measures the machine as workers use it: each thread has an ONNX Runtime session of one thread, and memory of its own. All
 * threads work at the same time, each `milliseconds` for either rate, and for meetings.
 *
 * @param copyBytes bytes that a thread copies at a time: rates in caches are others than in main memory.
 */
export async function measureLimits(threads: number, copyBytes: number, milliseconds: number): Promise<MachineLimits> {
  const memory = new SharedArrayBuffer(CONTROL_WORDS * 4);
  const control = new Control(new Int32Array(memory));
  const task: LimitTask = { threads, memory, onnx: product(SIZE), size: SIZE, copyBytes, milliseconds };
  const reports = await Promise.all(Array.from({ length: threads }, () => runThread(task, control)));
  const sum = (rate: 'matrix' | 'copy') => reports.reduce((total, report) => total + report[rate], 0);
  // All leave a barrier at the same time: what differs between threads is the clock.
  const barrier = Math.max(...reports.map((report) => report.barrier));
  return { threads, matrix: sum('matrix'), copy: sum('copy'), barrier };
}

/** Resolves when the thread is gone. A thread that cannot go on tells the others, which then end as well. */
function runThread(task: LimitTask, control: Control): Promise<LimitReport> {
  const worker = new Worker(new URL('limit-thread.js', import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    let report: LimitReport | undefined;
    worker.once('message', (message: LimitReport) => {
      report = message;
    });
    worker.once('error', (error) => {
      control.abort();
      reject(error);
    });
    worker.once('exit', (code) => {
      if (report) resolve(report);
      else reject(new Error(`a thread that measures the machine ended with code ${code}`));
    });
  });
}

/** A model of one matrix product. */
function product(size: number): Uint8Array {
  const graph = new Graph();
  const type = { shape: [size, size], dtype: 'float32' } as const;
  const [a, b] = [graph.input('a', type), graph.input('b', type)];
  const inputs = [
    { name: 'a', value: a },
    { name: 'b', value: b },
  ];
  return encodeModel(inputs, [{ name: 'c', value: graph.node('MatMul', [a, b], {}, type) }]);
}
