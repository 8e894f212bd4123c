/**
 * One compiled program in ONNX Runtime, run synchronously on one thread.
 *
 * The public `InferenceSession.run` puts every call behind a `setImmediate`; a training loop that owns its thread has
 * nobody to yield to, and on small networks that wait costs more than the arithmetic. So this uses the binding below it.
 */
import type { InferenceSession } from 'onnxruntime-node';
import type { Control } from '../common/control.js';
import { type Call, FATAL, type NativeSession, newSession, runInPlace } from './ort-binding.js';

const OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  // Each worker is one thread: a pool inside it would compete with the other workers for their cores.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // All others are thrown, and say more there.
  logSeverityLevel: FATAL,
};

const RUN_OPTIONS: InferenceSession.RunOptions = { logSeverityLevel: FATAL };

/** A loaded program. */
export class Session {
  readonly #session: NativeSession;
  readonly #control: Control;

  /**
   * @param isWholeProgram whether the program has no other session. Then the memory of a run is planned, taken in one piece, and kept for the
   * next. Those of a program in stages take what they need from the system and give it back: each would keep as much as it ever
   * needed, most of it idle, and pieces of many sizes would leave holes.
   * @throws Error if ONNX Runtime refuses the program.
   */
  constructor(onnx: Uint8Array, control: Control, isWholeProgram = true) {
    this.#control = control;
    this.#session = control.callNative(() =>
      load(onnx, { ...OPTIONS, enableCpuMemArena: isWholeProgram, enableMemPattern: isWholeProgram }),
    );
  }

  /** As `runInPlace`. */
  run(call: Call): void {
    const control = this.#control;
    control.enterNative();
    try {
      runInPlace(this.#session, call, RUN_OPTIONS);
    } catch (error) {
      throw explained(error);
    } finally {
      control.leaveNative();
    }
  }

  dispose(): void {
    this.#control.callNative(() => this.#session.dispose());
  }
}

/** What the runtime says of an index that a layer has computed, in words of the model. */
function explained(error: unknown): unknown {
  const found =
    /indices element out of data bounds, idx=(-?\d+) must be within the inclusive range \[-\d+,(\d+)\]/.exec(
      (error as Error).message,
    );
  if (!found) return error;
  const [, index, last] = found;
  return new RangeError(
    `an embedding, or a gather, is asked for index ${index} of 0 to ${last}: keep what the model computes within that range, ` +
      'or give the embedding a larger inputDim',
    { cause: error },
  );
}

function load(onnx: Uint8Array, options: InferenceSession.SessionOptions): NativeSession {
  const session = newSession();
  const bytes = Uint8Array.from(onnx);
  session.loadModel(bytes.buffer, 0, bytes.byteLength, options);
  return session;
}
