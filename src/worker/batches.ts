import type { EpochPlan, Pass } from '../common/protocol.js';
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

/** How many mini-batches all epochs of a plan have. */
export function batchesIn({ epochs, steps }: EpochPlan): number {
  return epochs * steps;
}

/** Mini-batch `i` of a plan, counted over all its epochs. */
export function batchIn(plan: EpochPlan, i: number): Batch {
  return batchOf(plan, i % plan.steps, i, plan.batchesBefore + i);
}

/**
 * Mini-batch `i` of a pass, counted from its first one.
 *
 * @param step where its logs go, if not at `i`.
 * @param number its number over all epochs, if not `i`.
 */
export function batchOf({ data, batchSize, firstStep = 0 }: Pass, i: number, step = i, number = i): Batch {
  return { step, rows: batchRange(data.rows, batchSize, firstStep + i), number };
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
