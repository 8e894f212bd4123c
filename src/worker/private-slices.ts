import { FLOAT_BYTES } from '../common/arena.js';
import type { ParameterLayout, WeightRole } from '../common/parameters.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { piece, type Range } from '../common/shards.js';
import { ownSlice, type Slice } from './updater.js';

/**
 * What a worker that trains in memory of its own copies from the arena (`read`) and back into it (`published`), in bytes. Weights
 * that all shards of units train alike are copied back by rank 0 alone.
 *
 * @param workers how many workers share the shards.
 */
export function privateSlices(
  { parameters, shards, split, rank }: ReplicaSetup,
  workers: number,
): { read: Slice[]; published: Slice[] } {
  if (split === 'rows') {
    const everything = ownSlice(parameters, 1, 0);
    return { read: [everything], published: [everything] };
  }
  const { whole, pieces } = unitSlices(parameters, piece(shards, workers, rank));
  return { read: [whole, pieces], published: rank === 0 ? [whole, pieces] : [pieces] };
}

/** The parts of the parameter vector that shards of units, consecutive ones, read: what is not cut, and their own pieces; in bytes. */
function unitSlices(
  { parameters, trainedEnd, replacedEnd }: ParameterLayout,
  own: Range,
): { whole: Slice; pieces: Slice } {
  const slices = (role: WeightRole, from: number, to: number): [Range, Range] => {
    const startOf = (shard: number): number =>
      parameters.find((p) => p.role === role && p.piece && p.piece.index >= shard)?.offset ?? to;
    return [rangeOf(from, startOf(0)), rangeOf(startOf(own.start), startOf(own.start + own.count))];
  };
  const [trainedWhole, trained] = slices('trained', 0, trainedEnd);
  const [replacedWhole, replaced] = slices('replaced', trainedEnd, replacedEnd);
  return { whole: { trained: trainedWhole, replaced: replacedWhole }, pieces: { trained, replaced } };
}

function rangeOf(from: number, to: number): Range {
  return { start: from * FLOAT_BYTES, count: (to - from) * FLOAT_BYTES };
}
