/** One of several threads that find out together what the machine can do. It ends by itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { Barrier } from '../common/barrier.js';
import { Control } from '../common/control.js';
import { Call, Session, tensorOver } from '../onnx-runtime/session.js';
import type { LimitReport, LimitTask } from './limit-task.js';
import { median } from './statistics.js';

/** Meetings in a row, whose mean counts; the median of many such rows leaves out those in which a thread was not on time. */
const MEETINGS = 100;

const { threads, memory, onnx, size, copyBytes, milliseconds } = workerData as LimitTask;
const control = new Control(new Int32Array(memory));
const barrier = new Barrier(control, threads);

/** Calls per second of `work`, while all threads do the same. */
function rate(work: () => void): number {
  work(); // the first call sets things up
  barrier.wait();
  const started = performance.now();
  let elapsed = 0;
  let calls = 0;
  for (; elapsed < milliseconds; calls++) {
    work();
    elapsed = performance.now() - started;
  }
  barrier.wait();
  return (1000 * calls) / elapsed;
}

function matrixRate(): number {
  const tensor = () => tensorOver(new Float32Array(size ** 2).fill(0.5), [size, size]);
  using session = new Session(onnx);
  using call = new Call({ a: tensor(), b: tensor() }, { c: tensor() });
  return rate(() => session.run(call)) * 2 * size ** 3;
}

/** Bytes read and written. */
function copyRate(): number {
  const from = new Uint8Array(copyBytes).fill(1);
  const to = new Uint8Array(copyBytes).fill(2);
  // Many copies at a time where they are short, so that it is not the clock that is measured.
  const times = Math.max(1, Math.round(2 ** 20 / copyBytes));
  return (
    rate(() => {
      for (let i = 0; i < times; i++) to.set(from);
    }) *
    times *
    copyBytes *
    2
  );
}

/** Of one meeting. */
function barrierSeconds(): number {
  const rows: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const started = performance.now();
    for (let i = 0; i < MEETINGS; i++) barrier.wait();
    rows.push((performance.now() - started) / 1000 / MEETINGS);
    if (performance.now() > end) control.requestStop();
    barrier.wait(); // all see the same request behind it
  } while (!control.stopRequested);
  // V8 compiles the code of a barrier meanwhile: the second half counts.
  return median(rows.slice(Math.floor(rows.length / 2)));
}

try {
  const report: LimitReport = { matrix: matrixRate(), copy: copyRate(), barrier: barrierSeconds() };
  parentPort?.postMessage(report);
} catch (error) {
  control.abort(); // nobody waits for this thread any more
  throw error;
}
