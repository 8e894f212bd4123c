/**
 * How rows, batches, shards and parameter slices are cut. All of it is arithmetic on counts, so that every thread can work
 * out its part without asking.
 */

export interface Range {
  /** First index. */
  start: number;
  /** Number of indices. */
  count: number;
}

/** Number of mini-batches in an epoch: the last one may be smaller and still makes one update. */
export function batchCount(rows: number, batchSize: number): number {
  return Math.ceil(rows / batchSize);
}

/** Positions (in the epoch's order) of the rows of mini-batch `step`. */
export function batchRange(rows: number, batchSize: number, step: number): Range {
  const start = step * batchSize;
  return { start, count: Math.min(batchSize, rows - start) };
}

/** The sizes that mini-batches have while `rows` rows are cut into them, that of the last one behind the others'. */
export function batchSizes(rows: number, batchSize: number): number[] {
  return [...new Set([Math.min(batchSize, rows), rows % batchSize])].filter((size) => size > 0);
}

/**
 * Piece `index` of `total` things cut into `pieces` parts whose sizes differ by one at most, the larger ones first: with
 * fewer things than pieces, the empty pieces are the last ones.
 */
export function piece(total: number, pieces: number, index: number): Range {
  const small = Math.floor(total / pieces);
  const larger = total % pieces;
  return { start: index * small + Math.min(index, larger), count: small + (index < larger ? 1 : 0) };
}

/** What the shards of a mini-batch share among them: its rows, or the units of the model's layers. */
export type Split = 'rows' | 'units';

/** What can be asked for: either, or whatever is expected to be faster. */
export const SPLITS = ['auto', 'rows', 'units'] as const;
export type SplitChoice = (typeof SPLITS)[number];

/** How many of the `shards` shards of a batch of `rows` rows have anything to do. They are the first ones. */
export function activeShards(rows: number, shards: number, split: Split): number {
  return split === 'units' ? shards : Math.min(rows, shards);
}

/** How many gradients of a batch there are to add up: one where each shard has those of other weights. */
export function gradientSlots(rows: number, shards: number, split: Split): number {
  return split === 'units' ? 1 : activeShards(rows, shards, split);
}

/** A size of mini-batch, and one of the sizes that its shards have. */
export interface ShardCut {
  batchRows: number;
  rows: number;
}

/** Every way in which a mini-batch and a shard of it can come out while `rows` rows are cut into batches and those into shards. */
export function shardCuts(rows: number, batchSize: number, shards: number): ShardCut[] {
  const cuts: ShardCut[] = [];
  for (const batchRows of batchSizes(rows, batchSize)) {
    const sizes = new Set([Math.ceil(batchRows / shards), Math.floor(batchRows / shards)]);
    for (const size of sizes) if (size > 0) cuts.push({ batchRows, rows: size });
  }
  return cuts;
}

/** Every size a non-empty shard can have while `rows` rows are cut into batches and those into shards. */
export function shardSizes(rows: number, batchSize: number, shards: number): number[] {
  const sizes = new Set<number>();
  for (const batch of batchSizes(rows, batchSize)) {
    sizes.add(Math.floor(batch / shards));
    sizes.add(Math.ceil(batch / shards));
  }
  sizes.delete(0);
  return [...sizes].sort((a, b) => b - a);
}
