/** One compiled program in ONNX Runtime, run synchronously on the thread that it belongs to. */
import type { ArenaArray } from '../common/arena.js';
import { addressOf } from '../common/native-library.js';
import type { DType } from '../common/program.js';
import { type Handle, onnxRuntime, type RunArguments } from './runtime.js';

/** Of ONNXTensorElementDataType. */
const ELEMENT_TYPE: Record<DType, number> = { float32: 1, int32: 6, bool: 9 };

/** Where a tensor of the shape `dims` stands. */
export interface Tensor {
  data: ArenaArray;
  dims: readonly number[];
  dtype: DType;
}

export type Tensors = Record<string, Tensor>;

/** A tensor of the shape `dims` that stands in `data`. */
export function tensorOver(data: ArenaArray, dims: readonly number[], dtype: DType = 'float32'): Tensor {
  return { data, dims, dtype };
}

/** A loaded program. */
export class Session implements Disposable {
  readonly #runtime = onnxRuntime();
  #session: Handle | undefined;

  /**
   * @param isWholeProgram whether the program has no other session. Then the memory of a run is planned, taken in one piece, and kept for the
   * next. Those of a program in stages take what they need from the system and give it back: each would keep as much as it ever
   * needed, most of it idle, and pieces of many sizes would leave holes.
   * @throws Error if ONNX Runtime refuses the program.
   */
  constructor(onnx: Uint8Array, isWholeProgram = true) {
    this.#session = this.#runtime.createSession(onnx, isWholeProgram);
  }

  /**
   * Computes the outputs of a call from its inputs, in place.
   *
   * @throws Error if the program takes other tensors, or cannot be computed, or the session or the call has been disposed of.
   */
  run(call: Call): void {
    const session = this.#session;
    if (session === undefined) throw new Error('this session has been disposed of');
    try {
      this.#runtime.run(session, call.args);
    } catch (error) {
      throw explained(error);
    }
  }

  [Symbol.dispose](): void {
    if (this.#session !== undefined) this.#runtime.releaseSession(this.#session);
    this.#session = undefined;
  }
}

/** What a run of a session reads and writes, by the names of its program, told to the runtime. */
export class Call implements Disposable {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  readonly #runtime = onnxRuntime();
  readonly #tensors: Handle[] = [];
  /** The runtime has their addresses. */
  readonly #kept: ArrayBufferView[] = [];
  #args: RunArguments | undefined;

  /** @throws Error if a shape has more elements than there are, or fewer. */
  constructor(inputs: Tensors, outputs: Tensors) {
    this.inputs = inputs;
    this.outputs = outputs;
    try {
      this.#args = this.#tell();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** @throws Error if the call has been disposed of. */
  get args(): RunArguments {
    if (!this.#args) throw new Error('this call has been disposed of');
    return this.#args;
  }

  [Symbol.dispose](): void {
    this.#args = undefined;
    for (const tensor of this.#tensors.splice(0)) this.#runtime.releaseTensor(tensor);
  }

  #tell(): RunArguments {
    const [read, written] = [Object.entries(this.inputs), Object.entries(this.outputs)];
    return {
      inputNames: this.#addresses(read.map(([name]) => this.#name(name))),
      inputs: this.#addresses(read.map(([, tensor]) => this.#tensor(tensor))),
      inputCount: read.length,
      outputNames: this.#addresses(written.map(([name]) => this.#name(name))),
      outputs: this.#addresses(written.map(([, tensor]) => this.#tensor(tensor))),
      outputCount: written.length,
    };
  }

  #name(name: string): Handle {
    return this.#addressOf(Buffer.from(`${name}\0`));
  }

  #tensor({ data, dims, dtype }: Tensor): Handle {
    const tensor = this.#runtime.createTensor(this.#addressOf(data), data.byteLength, dims, ELEMENT_TYPE[dtype]);
    this.#tensors.push(tensor);
    return tensor;
  }

  #addresses(handles: Handle[]): Handle {
    return this.#addressOf(BigUint64Array.from(handles));
  }

  #addressOf(data: ArrayBufferView): Handle {
    this.#kept.push(data);
    return addressOf(data);
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
