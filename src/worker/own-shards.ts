import type { ReplicaSetup, Work } from '../common/protocol.js';
import { activeShards, gradientSlots, piece, type Split } from '../common/shards.js';
import { type Batch, shardOf, unitShardOf } from './batches.js';
import type { Shard } from './gradient-engine.js';

/** Which shards of each mini-batch are one worker's. */
export class OwnShards {
  readonly #setup: Pick<ReplicaSetup, 'shards' | 'split'>;
  readonly #workers: number;
  readonly #rank: number;

  /** @param workers how many workers share the shards: those of rank 0 to `workers` - 1. */
  constructor(setup: Pick<ReplicaSetup, 'shards' | 'split'>, workers: number, rank: number) {
    this.#setup = setup;
    this.#workers = workers;
    this.#rank = rank;
  }

  /** Those that have rows, as batches of their own. */
  asBatches(batch: Batch): Shard[] {
    return this.#own((index) => shardOf(batch, index, this.#setup.shards, false));
  }

  /** Those that have anything to do, as parts of the mini-batch. */
  asParts(work: Work, batch: Batch): Shard[] {
    return this.#own((index) =>
      this.#splitOf(work) === 'units' ? unitShardOf(batch, index) : shardOf(batch, index, this.#setup.shards, true),
    );
  }

  /** How many shards of a mini-batch of `rows` rows have anything to do. */
  active(work: Work, rows: number): number {
    return activeShards(rows, this.#setup.shards, this.#splitOf(work));
  }

  /** How many gradients of a mini-batch there are to add up. */
  gradientSlots({ rows }: Batch): number {
    return gradientSlots(rows.count, this.#setup.shards, this.#setup.split);
  }

  #own(shardAt: (index: number) => Shard | undefined): Shard[] {
    const { start, count } = piece(this.#setup.shards, this.#workers, this.#rank);
    return Array.from({ length: count }, (_, i) => shardAt(start + i)).filter((shard) => shard !== undefined);
  }

  /** What the shards share: an evaluation is always cut by rows. */
  #splitOf(work: Work): Split {
    return work === 'training' ? this.#setup.split : 'rows';
  }
}
