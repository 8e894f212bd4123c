import { type Arena, FLOAT_BYTES } from '../common/arena.js';
import { copyValues } from '../common/copy.js';
import type { ExchangePlace } from '../common/exchanges.js';
import { forEachRun, type Piece } from '../common/pieces.js';
import type { Combination } from '../common/program.js';
import { sizeOf } from '../common/shapes.js';
import type { Kernels } from '../kernels/kernels.js';
import { SlotTable } from './slot-table.js';

/**
 * What the shards of a mini-batch have in common: each leaves its parts in a slot of the arena, and the workers make of the
 * slots, in the order of the shards, what they go on with.
 */
export class Totals {
  /** Reductions of this worker: the same bits for every worker. */
  readonly values: Float32Array;
  readonly #parts: Float32Array;
  readonly #kernels: Kernels;
  /** Where kernels put a total together: they reach only the arena. */
  readonly #scratch: Float32Array;
  readonly #slots: SlotTable;

  constructor(arena: Arena, kernels: Kernels, shards: number, rank: number) {
    this.#parts = arena.floats('exchange');
    this.#scratch = arena.floats(`totals${rank}`);
    this.#kernels = kernels;
    this.values = new Float32Array(this.#parts.length / shards);
    const slots = Array.from({ length: shards }, (_, shard) => this.slot(shard).byteOffset);
    this.#slots = new SlotTable(arena, `partSlots${rank}`, slots);
  }

  /** Where a shard leaves its parts. */
  slot(shard: number): Float32Array {
    const { length } = this.values;
    return this.#parts.subarray(shard * length, (shard + 1) * length);
  }

  /** Reduces the parts of the first `count` shards to their place in `values`. */
  allReduce({ offset, size }: ExchangePlace, reduction: Combination, count: number): void {
    const total = this.values.subarray(offset, offset + size);
    total.set(this.#part(0, offset, size));
    const combine = COMBINE[reduction];
    for (let shard = 1; shard < count; shard++) combine(total, this.#part(shard, offset, size));
  }

  /** Puts the parts of shards 0 to `count` - 1 side by side along `axis`. Each has the exchange's shape, `total` `count` times as much of that axis. */
  allGather({ exchange, offset, size }: ExchangePlace, axis: number, count: number, total: Float32Array): void {
    const runs = sizeOf(exchange.shape.slice(0, axis));
    const bytes = (size / runs) * FLOAT_BYTES;
    const scratch = this.#scratch.byteOffset;
    for (let index = 0; index < count; index++) {
      const part = this.#part(index, offset, size).byteOffset;
      this.#kernels.copyRuns(scratch + index * bytes, count * bytes, part, bytes, bytes, runs);
    }
    copyValues(this.#scratch.subarray(0, total.length), total);
  }

  /** Adds up a piece of the parts of all shards: the only one that its shard goes on with. */
  reduceScatter({ exchange, offset }: ExchangePlace, place: Piece, total: Float32Array): void {
    const scratch = this.#scratch.byteOffset;
    forEachRun(exchange.shape, place, (at, from, length) => {
      // The kernels go through all addresses at the same offset, and in whole vectors: the next run writes over what is too much.
      const [start, end] = [(offset + from) * FLOAT_BYTES, (offset + from + length) * FLOAT_BYTES];
      this.#kernels.reduceAssign(scratch + at * FLOAT_BYTES - start, this.#slots.from(0), place.count, start, end);
    });
    copyValues(this.#scratch.subarray(0, total.length), total);
  }

  #part(shard: number, offset: number, size: number): Float32Array {
    return this.slot(shard).subarray(offset, offset + size);
  }
}

const COMBINE: Record<Combination, (total: Float32Array, part: Float32Array) => void> = {
  sum: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (part[i] as number);
  },
  max: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = Math.max(total[i] as number, part[i] as number);
  },
  min: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = Math.min(total[i] as number, part[i] as number);
  },
  moments: addMoments,
  prod: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) * (part[i] as number);
  },
};

/**
 * Adds the moments of further rows (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979): squared deviations from two means are those from the common mean, but for the distance of the two.
 */
export function addMoments(total: Float32Array, part: Float32Array): void {
  const columns = (total.length - 1) / 2;
  const [m, n] = [total[2 * columns] as number, part[2 * columns] as number];
  for (let i = 0; i < columns; i++) {
    const [sum, added] = [total[i] as number, part[i] as number];
    const distance = added / n - sum / m;
    const squares = (total[columns + i] as number) + (part[columns + i] as number);
    total[i] = sum + added;
    total[columns + i] = squares + ((distance * distance) / (m + n)) * m * n;
  }
  total[2 * columns] = m + n;
}
