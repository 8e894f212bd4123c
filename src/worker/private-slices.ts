import type { ParameterLayout, WeightRole } from '../common/parameters.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { piece, type Range } from '../common/shards.js';
import { ownSlice, type Slice } from './updater.js';

const FLOAT_BYTES = 4;

/**
 * What a worker that trains in memory of its own reads of the arena, and what of it the others do not have alike, for it to
 * give back.
 *
 * @param workers how many share the shards.
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

/** The parts of the parameter vector that shards of units, consecutive ones, read: what is not cut, and their own pieces. Bytes. */
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
