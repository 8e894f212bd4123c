/**
 * Cuts the program of a mini-batch along its rows: what remains is the program of one shard, with a node 'AllReduce' wherever
 * a value needs the rows of all shards. Each value is the same on all shards, or has its rows there, or is a part that adds
 * up (see placement.ts); the rules say which of them an operator makes of its inputs. Found from the graph alone.
 */
import type { Value } from '../graph/value.js';
import { findMoments, MomentsPlacer } from './moments.js';
import { NotPartitionable, pairUp } from './pairs.js';
import { isPartOf, isSharded } from './placement.js';
import { placePair } from './rules.js';
import { type Cut, ShardProgram } from './shard-program.js';

/**
 * @param whole outputs of the step traced with `cut.batchRows` rows.
 * @param other the same traced with `otherRows`, another number.
 * @returns the outputs of the shard, in a graph of their own: the sum over the shards is the mini-batch's.
 * @throws NotPartitionable if there is no way to cut the step that leaves its result as it is.
 */
export function partition(whole: readonly Value[], other: readonly Value[], otherRows: number, cut: Cut): Value[] {
  const { outputs, order } = pairUp(whole, cut.batchRows, other, otherRows);
  const program = new ShardProgram(cut);
  const moments = new MomentsPlacer(program, cut.statistics === 'batch' ? findMoments(order) : new Map());
  for (const pair of order) {
    program.graph.currentLayer = pair.value.layer;
    program.place(pair, moments.place(pair) ?? placePair(pair, program));
  }
  return outputs.map((pair) => {
    const placed = program.placedOf(pair);
    if (isSharded(placed)) throw new NotPartitionable('has an output for each row of the mini-batch', pair.value);
    return isPartOf(placed, 'sum') ? placed.value : program.weighted(placed.whole());
  });
}
