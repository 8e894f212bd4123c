/** How a value of the mini-batch's program lies over the shards. */
import type { Reduction } from '../../common/program.js';
import type { Value } from '../graph/value.js';

export type Distribution =
  /** Every shard has the same value. */
  | { kind: 'replicated' }
  /**
   * Every shard has its rows of the value. Along `axis` the mini-batch's value has outer * rows * inner elements in that
   * order, so that a shard's elements are in one piece within each of the `outer` blocks. `outer` is undefined where all
   * elements along the axis are equal.
   */
  | { kind: 'sharded'; axis: number; outer: number | undefined }
  /** Every shard has a part; reducing the parts of all shards gives the value. */
  | { kind: 'partial'; reduction: Reduction };

/** A value as one shard has it. */
export interface Placed {
  /** In the shard's program. */
  readonly value: Value;
  readonly distribution: Distribution;
  /** The same value of the mini-batch, of which every shard then has all. */
  whole(): Value;
}

export type Sharded = Placed & { readonly distribution: { kind: 'sharded' } };
export type Partial = Placed & { readonly distribution: { kind: 'partial' } };

export function isSharded(placed: Placed): placed is Sharded {
  return placed.distribution.kind === 'sharded';
}

export function isPartial(placed: Placed): placed is Partial {
  return placed.distribution.kind === 'partial';
}

/** Whether `placed` is a part that is to be reduced by `reduction`. */
export function isPartOf(placed: Placed, reduction: Reduction): boolean {
  return isPartial(placed) && placed.distribution.reduction === reduction;
}
