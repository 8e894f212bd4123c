import type { ParameterLayout, WeightRole } from '../common/parameters.js';
import type { Range } from '../common/shards.js';
import type { Slice } from './updater.js';

const FLOAT_BYTES = 4;

/** The parts of the parameter vector that shards of units, consecutive ones, read: what is not cut, and their own pieces. Bytes. */
export function unitSlices(
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
