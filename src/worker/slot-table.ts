import { type Arena, FLOAT_BYTES } from '../common/arena.js';
import type { ParameterLayout } from '../common/parameters.js';

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

/** Where the accumulator stands and the gradients of all shards, where programs leave them. */
export function slotAddresses(arena: Arena, { replacedEnd }: ParameterLayout): number[] {
  const { offset, length } = arena.segment('gradients');
  const shards = length / replacedEnd;
  const gradients = Array.from({ length: shards }, (_, shard) => offset + shard * replacedEnd * FLOAT_BYTES);
  return [arena.segment('accumulator').offset, ...gradients];
}
