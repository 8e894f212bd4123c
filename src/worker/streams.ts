import { type Arena, FLOAT_BYTES } from '../common/arena.js';
import type { Control } from '../common/control.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { piece, type Range } from '../common/shards.js';
import { FasterWay } from './faster-way.js';
import type { Shard } from './gradient-engine.js';
import { SlotTable } from './slot-table.js';
import type { StreamingCopy } from './streaming-copy.js';
import { ownSlice, slotAddresses, type Ways } from './updater.js';

/**
 * The other way of gradients and new weights from one worker to the others, where a mini-batch is shared. Nobody reads a gradient where
 * another worker's program has written it, but a copy in a slot of its own (`streamed`) of the part that it adds up; and that copy, like new
 * weights, has been written by streaming stores. So no core stores into a cache line that another one has read, at the price of a way
 * through memory. Which of the two ways is faster depends on where the threads are: the first rank tries. The result is the same.
 */
export class Streams {
  readonly #setup: ReplicaSetup;
  readonly #arena: Arena;
  readonly #control: Control;
  readonly #copy: StreamingCopy;
  readonly #fasterWay = new FasterWay();
  #lastDecision = 0;
  #workers = 0;
  #ways: Ways | undefined;
  /** Bytes of a gradient that other workers add up. */
  #sent: Range[] = [];

  constructor(arena: Arena, control: Control, setup: ReplicaSetup, copy: StreamingCopy) {
    this.#setup = setup;
    this.#arena = arena;
    this.#control = control;
    this.#copy = copy;
    this.shareAmong(setup.workers);
  }

  /** Goes by the shards and slices of the first `workers` workers. */
  shareAmong(workers: number): void {
    const { parameters, rank, shards } = this.#setup;
    const own = piece(shards, workers, rank);
    const received = this.#arena.segment('streamed').offset;
    const [accumulator, ...written] = slotAddresses(this.#arena, parameters) as [number, ...number[]];
    const slots = written.map((address, shard) => {
      const isOwn = shard >= own.start && shard < own.start + own.count;
      return isOwn ? address : received + shard * parameters.replacedEnd * FLOAT_BYTES;
    });
    const table = new SlotTable(this.#arena, `streamedSlots${rank}`, [accumulator, ...slots]);
    const { trained, replaced } = ownSlice(parameters, workers, rank);
    this.#workers = workers;
    this.#ways = { slots: table, copy: this.#copy };
    this.#sent = between([trained, replaced], parameters.replacedEnd * FLOAT_BYTES);
  }

  /** For the updater: the ways of this step, if it goes by these. The same for all workers from one decision to the next. */
  get ways(): Ways | undefined {
    return this.#workers > 1 && this.#control.streaming ? this.#ways : undefined;
  }

  /** Sends the gradients of shards to the workers that add them up, who find them behind the next meeting. */
  send(shards: readonly Shard[]): void {
    const { replacedEnd } = this.#setup.parameters;
    const [from, to] = [this.#arena.segment('gradients').offset, this.#arena.segment('streamed').offset];
    for (const { index } of shards) {
      for (const { start, count } of this.#sent) {
        const at = index * replacedEnd * FLOAT_BYTES + start;
        this.#copy(to + at, from + at, count);
      }
    }
  }

  /** Decides how the next step goes. One rank does, before a meeting. */
  decide(): void {
    if (this.#workers === 1) return;
    const now = performance.now();
    this.#control.streaming = this.#fasterWay.next(now - this.#lastDecision);
    this.#lastDecision = now;
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
