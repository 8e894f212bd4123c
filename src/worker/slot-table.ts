import type { Arena } from '../common/arena.js';

const ENTRY_BYTES = Uint32Array.BYTES_PER_ELEMENT;

/** Where slots begin that kernels add up: a table of addresses, in the memory that the kernels reach. */
export class SlotTable {
  readonly #entries: Uint32Array;

  /** @param segment of the arena, with room for all addresses. */
  constructor(arena: Arena, segment: string, addresses: readonly number[]) {
    const { offset } = arena.segment(segment);
    this.#entries = new Uint32Array(arena.memory.buffer, offset, addresses.length);
    this.#entries.set(addresses);
  }

  /** Address of the table of the slots from `first` on. */
  from(first: number): number {
    return this.#entries.byteOffset + first * ENTRY_BYTES;
  }
}
