/** What of the parameter vector belongs to shards of units: consecutive ones, which one worker has. */
import { LINE, type ParameterLayout } from '../common/parameters.js';
import type { Range } from '../common/shards.js';
import type { Slice } from './updater.js';

const FLOAT_BYTES = 4;

/** Where the weights stand that the shards read: their own pieces and what is not cut. Values of the vector. */
export function weightsRead({ parameters }: ParameterLayout, { start, count }: Range): Range[] {
  const ranges: Range[] = [];
  let end: number | undefined;
  for (const { offset, size, piece } of parameters) {
    if (piece && (piece.index < start || piece.index >= start + count)) continue;
    const last = ranges.at(-1);
    if (last && end === offset) last.count = offset + size - last.start;
    else ranges.push({ start: offset, count: size });
    end = offset + Math.ceil(size / LINE) * LINE;
  }
  return ranges;
}

/** What the shards have gradients for: their pieces, the first one also what is not cut. Bytes. */
export function unitSlice({ parameters, trainedEnd, replacedEnd }: ParameterLayout, own: Range): Slice {
  const slice = (role: string, from: number, to: number): Range => {
    const startOf = (shard: number): number => {
      if (shard === 0) return from;
      return parameters.find((p) => p.role === role && p.piece && p.piece.index >= shard)?.offset ?? to;
    };
    const [start, end] = [startOf(own.start), startOf(own.start + own.count)];
    return { start: start * FLOAT_BYTES, count: (end - start) * FLOAT_BYTES };
  };
  return { trained: slice('trained', 0, trainedEnd), replaced: slice('replaced', trainedEnd, replacedEnd) };
}
