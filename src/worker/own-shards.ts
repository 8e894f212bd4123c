import type { ReplicaSetup, Work } from '../common/protocol.js';
import { activeShards, gradientSlots, piece, type Range, type Split } from '../common/shards.js';
import { type Batch, shardOf, unitShardOf } from './batches.js';
import type { Shard } from './gradient-engine.js';

/** How a mini-batch is cut: into parts of it that have rows or units, or into batches of their own. */
type Cut = Split | 'batches';

/**
 * Which shards of each mini-batch are one worker's. The same objects for all mini-batches of a size, moved on from one to the next:
 * making them anew takes as long as some of the operators of a small network.
 */
export class OwnShards {
  readonly #setup: Pick<ReplicaSetup, 'shards' | 'split'>;
  readonly #own: Range;
  /** Those known already, by the rows of the mini-batch. */
  readonly #known: Record<Cut, Map<number, Shard[]>> = { rows: new Map(), units: new Map(), batches: new Map() };

  /** @param workers how many workers share the shards: those of rank 0 to `workers` - 1. */
  constructor(setup: Pick<ReplicaSetup, 'shards' | 'split'>, workers: number, rank: number) {
    this.#setup = setup;
    this.#own = piece(setup.shards, workers, rank);
  }

  /** Those that have rows, as batches of their own, until the next call. */
  asBatches(batch: Batch): readonly Shard[] {
    return this.#at(batch, 'batches');
  }

  /** Those that have anything to do, as parts of the mini-batch, until the next call. */
  asParts(work: Work, batch: Batch): readonly Shard[] {
    return this.#at(batch, this.#splitOf(work));
  }

  /** How many shards of a mini-batch of `rows` rows have anything to do. */
  active(work: Work, rows: number): number {
    return activeShards(rows, this.#setup.shards, this.#splitOf(work));
  }

  /** How many gradients of a mini-batch there are to add up. */
  gradientSlots({ rows }: Batch): number {
    return gradientSlots(rows.count, this.#setup.shards, this.#setup.split);
  }

  #at(batch: Batch, cut: Cut): readonly Shard[] {
    const { rows, step, number } = batch;
    let shards = this.#known[cut].get(rows.count);
    if (!shards) {
      shards = this.#make(batch, cut);
      this.#known[cut].set(rows.count, shards);
    }
    for (const shard of shards) {
      shard.start = rows.start + shard.firstRow;
      shard.step = step;
      shard.batchNumber = number;
    }
    return shards;
  }

  #make(batch: Batch, cut: Cut): Shard[] {
    const { start, count } = this.#own;
    const shards = Array.from({ length: count }, (_, i) => {
      if (cut === 'units') return unitShardOf(batch, start + i);
      return shardOf(batch, start + i, this.#setup.shards, cut === 'rows');
    });
    return shards.filter((shard) => shard !== undefined);
  }

  /** What the shards share: an evaluation is always cut by rows. */
  #splitOf(work: Work): Split {
    return work === 'training' ? this.#setup.split : 'rows';
  }
}
