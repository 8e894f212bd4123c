import { type Arena, FLOAT_BYTES } from '../common/arena.js';
import type { NonTemporalCopy } from '../common/non-temporal-copy.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { piece, type Range } from '../common/shards.js';
import type { Shard } from './gradient-engine.js';
import { SlotTable } from './slot-table.js';
import { ownSlice, slotAddresses, type Transport } from './updater.js';

/**
 * Gradients and new weights pushed from one worker to the others. Nobody reads a gradient where another worker's program has written it:
 * that worker sends the part that another adds up to a slot of its own (`pushed`). So no core stores into a cache line that another one has
 * read, but by non-temporal stores, which do not wait for it; the price is a way through memory.
 */
export class GradientPush {
  readonly #setup: ReplicaSetup;
  readonly #arena: Arena;
  readonly #copy: NonTemporalCopy;
  /** Bytes of a gradient that other workers add up. */
  readonly #sent: Range[];
  /** For the updater. */
  readonly transport: Transport;

  /** @param workers how many workers share the shards and the parameters: those of rank 0 to `workers` - 1. */
  constructor(arena: Arena, setup: ReplicaSetup, copy: NonTemporalCopy, workers: number) {
    const { parameters, rank, shards } = setup;
    this.#setup = setup;
    this.#arena = arena;
    this.#copy = copy;
    const own = piece(shards, workers, rank);
    const pushed = arena.segment('pushed').offset;
    const [accumulator, ...written] = slotAddresses(arena, parameters) as [number, ...number[]];
    const slots = written.map((address, shard) => {
      const isOwn = shard >= own.start && shard < own.start + own.count;
      return isOwn ? address : pushed + shard * parameters.replacedEnd * FLOAT_BYTES;
    });
    this.transport = {
      slots: new SlotTable(arena, `pushedSlots${rank}`, [accumulator, ...slots]),
      copy,
      stages: true,
    };
    const { trained, replaced } = ownSlice(parameters, workers, rank);
    this.#sent = between([trained, replaced], parameters.replacedEnd * FLOAT_BYTES);
  }

  /** Sends the gradients of shards to the workers that add them up, who find them behind the next meeting. */
  send(shards: readonly Shard[]): void {
    const { replacedEnd } = this.#setup.parameters;
    const [from, to] = [this.#arena.segment('gradients').offset, this.#arena.segment('pushed').offset];
    for (const { index } of shards) {
      for (const { start, count } of this.#sent) {
        const at = index * replacedEnd * FLOAT_BYTES + start;
        this.#copy(to + at, from + at, count);
      }
    }
  }
}

/** What of 0 to `end` is in none of some ranges, which come one behind the other. */
function between(ranges: readonly Range[], end: number): Range[] {
  const gaps: Range[] = [];
  let at = 0;
  for (const { start, count } of [...ranges, { start: end, count: 0 }]) {
    if (start > at) gaps.push({ start: at, count: start - at });
    at = start + count;
  }
  return gaps;
}
