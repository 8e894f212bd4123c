/**
 * ONNX Runtime's native binding, for threads that take outputs where they have asked for them.
 *
 * The binding of onnxruntime-node 1.30 computes outputs in place, and then copies each of them once more, into a new tensor
 * of its answer (`InferenceSessionWrap::Run`, js/node/src/inference_session_wrap.cc of microsoft/onnxruntime), which nobody
 * here reads. It makes those by the constructor that it was given when it was set up: one that throws ends that at the
 * first output, when all have been computed.
 */
import { isMainThread } from 'node:worker_threads';
import type { InferenceSession } from 'onnxruntime-node';
import { type Binding, binding } from 'onnxruntime-node/dist/binding.js';
import type { ArenaArray } from '../common/arena.js';
import type { DType } from '../common/program.js';

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

/** What the binding reads of a tensor. A plain object: the getters of the runtime's own class cost a microsecond a run. */
export interface NativeTensor {
  type: DType;
  dims: readonly number[];
  data: ArenaArray;
  location: 'cpu';
}

export type Tensors = Record<string, NativeTensor>;

/** A tensor of the shape `dims` that stands in `data`. */
export function tensorOver(data: ArenaArray, dims: readonly number[], type: DType): NativeTensor {
  return { type, dims, data, location: 'cpu' };
}

/** What a run reads and writes. */
export interface Call {
  inputs: Tensors;
  outputs: Tensors;
  /** Whether letting the binding copy its outputs costs less than ending it by an error. */
  wantsAnswer: boolean;
}

/**
 * A run that leaves its outputs in `outputs`, which are in the program's order. If they are large, the first is the only one that is
 * copied in vain: it should be the smallest.
 */
export function callOf(inputs: Tensors, outputs: Tensors): Call {
  const bytes = Object.values(outputs).map(({ data }) => data.byteLength);
  const behindFirst = bytes.slice(1).reduce((a, b) => a + b, 0);
  return { inputs, outputs, wantsAnswer: behindFirst < LEAST_COPY };
}

/** Computes the outputs of a call, in place from its inputs. */
export function runInPlace(session: NativeSession, call: Call, options: InferenceSession.RunOptions): void {
  Answer.isWanted = call.wantsAnswer;
  try {
    session.run(call.inputs as never, call.outputs as never, options);
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
