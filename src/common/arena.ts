import type { DType } from './program.js';

/** Typed arrays that live in the arena. Booleans are one byte each, as in tfjs. */
export type ArenaArray = Float32Array | Int32Array | Uint8Array;

export interface Segment {
  /** Byte address in the arena, a multiple of 64. */
  offset: number;
  /** Number of elements. */
  length: number;
  dtype: DType;
}

/** Where everything in an arena stands. Plain data: the memory and this are all a thread needs to see it. */
export interface ArenaLayout {
  bytes: number;
  segments: Record<string, Segment>;
}

/** Cache line, and the alignment that ONNX Runtime asks of tensors. */
const ALIGNMENT = 64;
/** What one WebAssembly memory can address. */
const MAXIMUM_BYTES = 2 ** 32;

export const FLOAT_BYTES = 4;
/** Bytes of one element. */
export const ELEMENT_BYTES: Record<DType, number> = { float32: FLOAT_BYTES, int32: 4, bool: 1 };

/** Lays out segments one behind the other from `firstByte` on, each on a cache line of its own. */
export class LayoutBuilder {
  readonly #segments: Record<string, Segment> = {};
  #end: number;

  constructor(firstByte: number) {
    this.#end = firstByte;
  }

  add(name: string, dtype: DType, length: number): this {
    this.#segments[name] = { offset: this.#end, length, dtype };
    this.#end += Math.ceil((length * ELEMENT_BYTES[dtype]) / ALIGNMENT) * ALIGNMENT;
    return this;
  }

  /** Whether the arena would not be too large with so many bytes more. */
  hasRoomFor(bytes: number): boolean {
    return this.#end + bytes <= MAXIMUM_BYTES;
  }

  /** @throws RangeError if the arena would be larger than one WebAssembly memory can be. */
  build(): ArenaLayout {
    if (this.#end > MAXIMUM_BYTES) {
      const gib = (this.#end / 2 ** 30).toFixed(2);
      throw new RangeError(
        `weights, gradients and data need ${gib} GiB of shared memory and at most 4 GiB can be had: ` +
          'use fewer shards, or train on a part of the rows at a time',
      );
    }
    return { bytes: this.#end, segments: this.#segments };
  }
}

/** One shared memory with named views on it. Every thread opens its own `Arena` over the same memory. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly layout: ArenaLayout;

  constructor(memory: WebAssembly.Memory, layout: ArenaLayout) {
    this.memory = memory;
    this.layout = layout;
  }

  segment(name: string): Segment {
    const segment = this.layout.segments[name];
    if (!segment) throw new Error(`the arena has no segment '${name}'`);
    return segment;
  }

  /** The segment as a typed array of its dtype. */
  array(name: string): ArenaArray {
    const { offset, length, dtype } = this.segment(name);
    return viewOf(this.memory.buffer, dtype, offset, length);
  }

  floats(name: string): Float32Array {
    return this.array(name) as Float32Array;
  }

  ints(name: string): Int32Array {
    return this.array(name) as Int32Array;
  }
}

/** A typed array of `dtype` over `buffer`. */
export function viewOf(buffer: ArrayBufferLike, dtype: DType, offset = 0, length?: number): ArenaArray {
  if (dtype === 'float32') return new Float32Array(buffer, offset, length);
  if (dtype === 'int32') return new Int32Array(buffer, offset, length);
  return new Uint8Array(buffer, offset, length);
}

/** A typed array of `dtype` with memory of its own. */
export function allocate(dtype: DType, length: number): ArenaArray {
  return viewOf(new ArrayBuffer(length * ELEMENT_BYTES[dtype]), dtype);
}
