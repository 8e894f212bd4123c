/** From a loop to the WebAssembly function that runs it. */
import { FLOAT_BYTES } from '../../common/arena.js';
import { OPERATORS } from './operators.js';
import {
  type FunctionBody,
  LANES,
  memoryAccess,
  OP,
  signed,
  unsigned,
  VECTOR,
  vector,
  vectorConst,
} from './wasm-code.js';

const VECTOR_BYTES = LANES * FLOAT_BYTES;

/** A tensor in memory: which of the function's parameters is its address, and elements from one to the next along each axis of the loop. */
export interface LoopTensor {
  parameter: number;
  strides: readonly number[];
}

/** What is computed at every element, by the numbers of the instructions before it. */
export type LoopInstruction =
  | { kind: 'load'; tensor: LoopTensor }
  | { kind: 'constant'; value: number }
  | { kind: 'compute'; op: string; inputs: number[]; alpha: number; beta: number };

/**
 * One pass over all elements. The innermost axis is what the body of the loop computes at once: a few vectors. Along it tensors have stride 1, or 0
 * where they are the same for all.
 */
export interface Loop {
  /** Sizes of the axes, from the outermost to the innermost. */
  extents: readonly number[];
  instructions: readonly LoopInstruction[];
  /** Which instruction's elements are written where. */
  stores: readonly { value: number; tensor: LoopTensor }[];
  /** Sums along the axes from `axis` on, but for the innermost. */
  sums: readonly { value: number; axis: number; tensor: LoopTensor }[];
}

/** The function's parameters are the byte addresses of its tensors: alike loops have the same function. */
export function loopFunction(loop: Loop): FunctionBody {
  return new LoopWriter(loop).write();
}

class LoopWriter {
  readonly #loop: Loop;
  readonly #code: number[] = [];
  /** Axes that are gone through, and vectors of the body. */
  readonly #levels: number;
  readonly #vectors: number;
  /** Their addresses go along with the loop. Behind these parameters come the counters, one a level. */
  readonly #tensors: readonly LoopTensor[];

  constructor(loop: Loop) {
    this.#loop = loop;
    this.#levels = loop.extents.length - 1;
    this.#vectors = (loop.extents.at(-1) as number) / LANES;
    const loads = loop.instructions.flatMap((instruction) => (instruction.kind === 'load' ? [instruction.tensor] : []));
    this.#tensors = [...loads, ...loop.stores.map(({ tensor }) => tensor), ...loop.sums.map(({ tensor }) => tensor)];
  }

  write(): FunctionBody {
    this.#level(0);
    return {
      parameters: this.#tensors.length,
      integers: this.#levels,
      vectors: this.#loop.instructions.length + this.#loop.sums.length * this.#vectors,
      code: this.#code,
    };
  }

  #level(axis: number): void {
    if (axis === this.#levels) {
      for (let at = 0; at < this.#vectors; at++) this.#body(at);
      return;
    }
    const sums = this.#loop.sums.map((sum, index) => ({ ...sum, index })).filter((sum) => sum.axis === axis);
    for (const { index } of sums) {
      for (let at = 0; at < this.#vectors; at++) this.#emit(vectorConst(0), OP.set, this.#accumulator(index, at));
    }
    const counter = unsigned(this.#tensors.length + axis);
    this.#emit(OP.i32Const, signed(this.#loop.extents[axis] as number), OP.set, counter, OP.loop);
    this.#level(axis + 1);
    for (const { parameter, strides } of this.#tensors) this.#advance(parameter, this.#step(strides, axis));
    this.#emit(OP.get, counter, OP.i32Const, signed(1), OP.i32Sub, OP.tee, counter, OP.branchIf, [0], OP.end);
    for (const { index, tensor } of sums) this.#storeSum(index, tensor);
  }

  /** Once its axes have been gone through, along which its address stays where it is. */
  #storeSum(index: number, tensor: LoopTensor): void {
    for (let at = 0; at < this.#vectors; at++) {
      this.#emit(OP.get, unsigned(tensor.parameter), OP.get, this.#accumulator(index, at));
      this.#emit(memoryAccess(VECTOR.store, at * VECTOR_BYTES));
    }
  }

  /** Bytes that a pointer goes on at the end of a turn of `axis`, when the axes within have moved it already. */
  #step(strides: readonly number[], axis: number): number {
    const own = strides[axis] as number;
    if (axis === this.#levels - 1) return own * FLOAT_BYTES;
    return (own - (this.#loop.extents[axis + 1] as number) * (strides[axis + 1] as number)) * FLOAT_BYTES;
  }

  #advance(local: number, bytes: number): void {
    if (bytes === 0) return;
    this.#emit(OP.get, unsigned(local), OP.i32Const, signed(bytes), OP.i32Add, OP.set, unsigned(local));
  }

  /** Everything of the vector `at` of the innermost axis. */
  #body(at: number): void {
    this.#loop.instructions.forEach((instruction, i) => {
      if (instruction.kind === 'load') this.#load(instruction.tensor, at);
      else if (instruction.kind === 'constant') this.#emit(vectorConst(instruction.value));
      else this.#compute(instruction);
      this.#emit(OP.set, this.#valueOf(i));
    });
    for (const { value, tensor } of this.#loop.stores) {
      this.#emit(OP.get, unsigned(tensor.parameter), OP.get, this.#valueOf(value));
      this.#emit(memoryAccess(VECTOR.store, at * VECTOR_BYTES));
    }
    this.#loop.sums.forEach(({ value }, index) => {
      const accumulator = this.#accumulator(index, at);
      this.#emit(OP.get, accumulator, OP.get, this.#valueOf(value), vector(VECTOR.add), OP.set, accumulator);
    });
  }

  #load(tensor: LoopTensor, at: number): void {
    this.#emit(OP.get, unsigned(tensor.parameter));
    if (tensor.strides.at(-1) === 0) this.#emit(memoryAccess(VECTOR.loadSplat, 0));
    else this.#emit(memoryAccess(VECTOR.load, at * VECTOR_BYTES));
  }

  #compute({ op, inputs, alpha, beta }: Extract<LoopInstruction, { kind: 'compute' }>): void {
    const write = OPERATORS[op];
    if (!write) throw new Error(`loops have no operator ${op}`);
    const operands = inputs.map((input) => [...OP.get, ...this.#valueOf(input)]);
    this.#emit(write(operands, alpha, beta));
  }

  #valueOf(index: number): number[] {
    return unsigned(this.#tensors.length + this.#levels + index);
  }

  #accumulator(index: number, at: number): number[] {
    const { instructions } = this.#loop;
    return this.#valueOf(instructions.length + index * this.#vectors + at);
  }

  #emit(...parts: readonly (readonly number[])[]): void {
    for (const part of parts) for (const byte of part) this.#code.push(byte);
  }
}
