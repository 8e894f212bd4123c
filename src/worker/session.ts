/** One compiled program in ONNX Runtime, run synchronously on the thread that it belongs to. */
import type { ArenaArray } from '../common/arena.js';
import { addressOf, type Handle, onnxRuntime, type RunArguments } from '../common/onnx-runtime.js';
import type { DType } from '../common/program.js';

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
  readonly #session: Handle;

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
   * @throws Error if the program takes other tensors, or cannot be computed.
   */
  run(call: Call): void {
    try {
      this.#runtime.run(this.#session, call.args);
    } catch (error) {
      throw explained(error);
    }
  }

  /** It must not be run any more. */
  [Symbol.dispose](): void {
    this.#runtime.releaseSession(this.#session);
  }
}

/** What a run of a session reads and writes, by the names of its program, told to the runtime. */
export class Call implements Disposable {
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  readonly args: RunArguments;
  readonly #runtime = onnxRuntime();
  readonly #tensors: Handle[] = [];
  /** The runtime has their addresses. */
  readonly #kept: ArrayBufferView[] = [];

  constructor(inputs: Tensors, outputs: Tensors) {
    this.inputs = inputs;
    this.outputs = outputs;
    const [read, written] = [Object.entries(inputs), Object.entries(outputs)];
    this.args = {
      inputNames: this.#addresses(read.map(([name]) => this.#name(name))),
      inputs: this.#addresses(read.map(([, tensor]) => this.#tensor(tensor))),
      inputCount: read.length,
      outputNames: this.#addresses(written.map(([name]) => this.#name(name))),
      outputs: this.#addresses(written.map(([, tensor]) => this.#tensor(tensor))),
      outputCount: written.length,
    };
  }

  /** It must not be run any more. */
  [Symbol.dispose](): void {
    for (const tensor of this.#tensors) this.#runtime.releaseTensor(tensor);
    this.#tensors.length = 0;
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
