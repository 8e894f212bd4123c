/**
 * ONNX Runtime's native binding, for threads that take outputs where they have asked for them.
 *
 * The binding of onnxruntime-node 1.30 computes outputs in place, and then copies each of them once more, into a new tensor
 * of its answer (`InferenceSessionWrap::Run`, js/node/src/inference_session_wrap.cc of microsoft/onnxruntime), which nobody
 * here reads. It makes those by the constructor that it was given when it was set up: one that throws ends that at the
 * first output, when all have been computed.
 */
import { isMainThread } from 'node:worker_threads';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Binding, binding } from 'onnxruntime-node/dist/binding.js';

export type NativeSession = Binding.InferenceSession;

/** An error costs more than copying less than this. */
const LEAST_COPY = 1 << 16;
/** The level of messages that are printed: fatal errors only. */
export const FATAL = 4;

const noAnswer = new Error('outputs are where they were asked for');

/** What outputs would be copied into. */
class Answer {
  static isWanted = true;

  constructor() {
    if (!Answer.isWanted) throw noAnswer;
  }
}

/** A session without a program. */
export function newSession(): NativeSession {
  setUp();
  return new binding.InferenceSession();
}

/**
 * Runs a program, and leaves its outputs in `outputs`, which are in the program's order. If they are large, the first is the only one
 * that is copied in vain: it should be the smallest.
 */
export function runInPlace(
  session: NativeSession,
  inputs: Record<string, Tensor>,
  outputs: Record<string, Tensor>,
  options: InferenceSession.RunOptions,
): void {
  Answer.isWanted = bytesBehindFirst(outputs) < LEAST_COPY;
  try {
    session.run(inputs, outputs, options);
  } catch (error) {
    if (error !== noAnswer) throw error;
  }
}

let isSetUp = false;

/** Once a thread: the binding has a constructor for each. */
function setUp(): void {
  if (isSetUp) return;
  isSetUp = true;
  binding.initOrtOnce(FATAL, Answer as never, isMainThread);
}

function bytesBehindFirst(outputs: Record<string, Tensor>): number {
  let bytes = 0;
  let isFirst = true;
  for (const name in outputs) {
    const { data } = outputs[name] as Tensor;
    if (!isFirst) bytes += (data as Float32Array).byteLength;
    isFirst = false;
  }
  return bytes;
}
