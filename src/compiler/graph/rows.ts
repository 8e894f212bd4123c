/** Matrices made of the rows of others: what the time steps of a sequence have in common is one product for all. */
import { concat, reshape, transpose } from './layout.js';
import { dim, sameShape, sizeOf } from './shapes.js';
import type { Value } from './value.js';

interface Pick {
  source: Value;
  axis: number;
  index: number;
}

/** Says of a value that is element `index` of `source` along `axis`, without that axis, where it comes from. */
export function asPick(x: Value): Pick | undefined {
  const cut = x.op === 'Reshape' ? (x.inputs[0] as Value) : x;
  const axes = cut.attrs.axes as number[] | undefined;
  if (cut.op !== 'Slice' || axes?.length !== 1) return undefined;
  const [axis, source] = [axes[0] as number, cut.inputs[0] as Value];
  const without = source.shape.filter((_, i) => i !== axis);
  if (cut.shape[axis] !== 1 || !sameShape(x.shape, without)) return undefined;
  return { source, axis, index: (cut.attrs.starts as number[])[0] as number };
}

/** The indices of values that are elements of one source along one axis. */
export function pickIndices(parts: readonly Value[]): number[] | undefined {
  const picks = parts.map(asPick);
  const first = picks[0];
  const isCommon = first && picks.every((pick) => pick?.source === first.source && pick.axis === first.axis);
  return isCommon ? picks.map((pick) => (pick as Pick).index) : undefined;
}

/** The rows of all parts, one part after the other; no copy where the parts are all elements of one tensor, in order. */
export function joinRows(parts: readonly Value[]): Value {
  const first = asPick(parts[0] as Value);
  const indices = pickIndices(parts);
  const isWhole =
    first && indices && indices.length === first.source.shape[first.axis] && indices.every((at, i) => at === i);
  if (!isWhole) return concat(parts, 0);
  const others = first.source.shape.map((_, i) => i).filter((i) => i !== first.axis);
  const stacked = transpose(first.source, [first.axis, ...others]);
  const columns = dim(first.source.shape, -1);
  return reshape(stacked, [sizeOf(stacked.shape) / columns, columns]);
}

/** Pieces of `x` along `axis`, of the given sizes, which add up to all of it. */
export function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  const shapeOf = (size: number): number[] => x.shape.map((n, i) => (i === axis ? size : n));
  const type = (size: number) => ({ shape: shapeOf(size), dtype: x.dtype });
  const node = x.graph.node('Split', [x], { axis, split: sizes }, type(sizes[0] as number));
  return sizes.map((size, k) => (k === 0 ? node : x.graph.node(`#${k}`, [node], {}, type(size))));
}
