import type { Pass } from '../common/protocol.js';
import { batchRange, piece, type Range } from '../common/shards.js';
import type { Shard } from './gradient-engine.js';

/** One mini-batch of an epoch. */
export interface Batch {
  /** Its number among those that the workers were told to train; where its logs go. */
  step: number;
  rows: Range;
  /** Number of the mini-batch over all epochs. */
  number: number;
}

/**
 * The mini-batches of a pass, in order.
 *
 * @param before mini-batches of all passes before.
 * @param begin the step that the first one is.
 */
export function* batchesOf({ data, batchSize, firstStep = 0, steps }: Pass, before = 0, begin = 0): Generator<Batch> {
  for (let i = 0; i < steps; i++) {
    yield { step: begin + i, rows: batchRange(data.rows, batchSize, firstStep + i), number: before + i };
  }
}

/**
 * Shard `index` of the `shards` of a batch; undefined if it has no rows.
 *
 * @param whole whether it is a part of the batch, not a batch of its own.
 */
export function shardOf(
  { step, rows, number }: Batch,
  index: number,
  shards: number,
  whole: boolean,
): Shard | undefined {
  const part = piece(rows.count, shards, index);
  if (part.count === 0) return undefined;
  return {
    index,
    start: rows.start + part.start,
    rows: part.count,
    firstRow: part.start,
    share: part.count / rows.count,
    batchRows: whole ? rows.count : part.count,
    step,
    batchNumber: number,
  };
}

/** Shard `index` of a batch whose shards have units of the layers: all of its rows. */
export function unitShardOf({ step, rows: { start, count }, number }: Batch, index: number): Shard {
  return { index, start, rows: count, firstRow: 0, share: 1, batchRows: count, step, batchNumber: number };
}
