import type { Arena } from '../common/arena.js';
import { type ExchangePlace, placeExchanges } from '../common/exchanges.js';
import type { Reduction, StepProgram } from '../common/program.js';

/** Totals over the shards of a mini-batch: each shard leaves its parts in a slot of the arena, each worker adds all of them up. */
export class Totals {
  /** This worker's; the same bits for every worker. */
  readonly values: Float32Array;
  readonly #parts: Float32Array;

  constructor(arena: Arena, shards: number) {
    this.#parts = arena.floats('exchange');
    this.values = new Float32Array(this.#parts.length / shards);
  }

  /** Where a shard leaves its parts. */
  slot(shard: number): Float32Array {
    const { length } = this.values;
    return this.#parts.subarray(shard * length, (shard + 1) * length);
  }

  /** Works out the totals of one stage, from the slots of the first `count` shards in their order. */
  reduce(program: StepProgram, stage: number, count: number): void {
    for (const place of placeExchanges(program)) {
      if (place.exchange.stage === stage) this.#reduceOne(place, count);
    }
  }

  #reduceOne({ exchange, offset, size }: ExchangePlace, count: number): void {
    const total = this.values.subarray(offset, offset + size);
    total.set(this.slot(0).subarray(offset, offset + size));
    const combine = COMBINE[exchange.reduction];
    for (let shard = 1; shard < count; shard++) combine(total, this.slot(shard).subarray(offset, offset + size));
  }
}

const COMBINE: Record<Reduction, (total: Float32Array, part: Float32Array) => void> = {
  sum: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (part[i] as number);
  },
  max: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = Math.max(total[i] as number, part[i] as number);
  },
  min: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = Math.min(total[i] as number, part[i] as number);
  },
  prod: (total, part) => {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) * (part[i] as number);
  },
};
