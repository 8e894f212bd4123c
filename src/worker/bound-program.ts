import { Tensor } from 'onnxruntime-node';
import { type Arena, type ArenaArray, allocate } from '../common/arena.js';
import type { Control } from '../common/control.js';
import { type ParameterLayout, parameterAt } from '../common/parameters.js';
import type { DType, StepProgram } from '../common/program.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { Session, type Tensors } from './session.js';

/** Slot under which a program's private gradients are bound when tensors cannot live in shared memory. */
const PRIVATE = -1;

/** A step program in ONNX Runtime with the buffers that it reads and writes. */
export class BoundProgram {
  readonly program: StepProgram;
  /** Factor of the loss at its seed. */
  readonly lossWeight = new Float32Array(1);
  readonly logs: Float32Array;
  readonly #session: Session;
  readonly #arena: Arena;
  readonly #parameters: ParameterLayout;
  readonly #inputs: Tensors = {};
  /** Output tensors by gradient slot. */
  readonly #outputs = new Map<number, Tensors>();

  constructor(program: StepProgram, arena: Arena, control: Control, { parameters, logCount }: ReplicaSetup) {
    this.program = program;
    this.logs = new Float32Array(logCount);
    this.#arena = arena;
    this.#parameters = parameters;
    this.#session = new Session(program.onnx, control);
    for (const { name, role, shape, dtype } of program.inputs) {
      if (role.kind === 'weight') continue;
      const data = role.kind === 'shardWeight' ? this.lossWeight : allocate(dtype, sizeOf(shape));
      this.#inputs[name] = tensorOver(data, shape, dtype);
    }
  }

  /** Makes the program read its weights from `vector`. */
  bindWeights(vector: Float32Array): void {
    for (const { name, role, shape } of this.program.inputs) {
      if (role.kind !== 'weight') continue;
      const { offset, size } = parameterAt(this.#parameters, role.index);
      this.#inputs[name] = tensorOver(vector.subarray(offset, offset + size), shape, 'float32');
    }
  }

  /** The buffer of one input, to be filled before a run. */
  input(name: string): ArenaArray {
    return this.#inputs[name]?.data as ArenaArray;
  }

  /** Runs on the inputs as they stand and writes the gradients into slot `slot` of the arena. */
  run(slot: number): void {
    this.#session.run(this.#inputs, this.#outputsOf(slot));
  }

  /** The same by way of private memory, for runtimes that take no tensors over shared memory. */
  runAndCopy(slot: number): void {
    const outputs = this.#outputsOf(PRIVATE);
    this.#session.run(this.#inputs, outputs);
    const target = this.#slot(slot);
    for (const { name, role } of this.program.outputs) {
      if (role.kind === 'logs') continue;
      target.set(outputs[name]?.data as Float32Array, parameterAt(this.#parameters, role.index).offset);
    }
  }

  dispose(): void {
    this.#session.dispose();
  }

  #outputsOf(slot: number): Tensors {
    let outputs = this.#outputs.get(slot);
    if (!outputs) {
      outputs = this.#bindOutputs(slot === PRIVATE ? new Float32Array(this.#parameters.replacedEnd) : this.#slot(slot));
      this.#outputs.set(slot, outputs);
    }
    return outputs;
  }

  #bindOutputs(vector: Float32Array): Tensors {
    const outputs: Tensors = {};
    for (const { name, role, shape } of this.program.outputs) {
      if (role.kind === 'logs') {
        outputs[name] = tensorOver(this.logs, shape, 'float32');
      } else {
        const { offset, size } = parameterAt(this.#parameters, role.index);
        outputs[name] = tensorOver(vector.subarray(offset, offset + size), shape, 'float32');
      }
    }
    return outputs;
  }

  #slot(slot: number): Float32Array {
    const length = this.#parameters.replacedEnd;
    return this.#arena.floats('gradients').subarray(slot * length, (slot + 1) * length);
  }
}

function tensorOver(data: ArenaArray, shape: readonly number[], dtype: DType): Tensor {
  return new Tensor(dtype, data as never, shape);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
