/** Sums of rows by index. */
import { cast, reshape } from './layout.js';
import { dim } from './shapes.js';
import type { Value } from './value.js';

/** Zeros of shape [count, width] with row i of `rows` added to row `ids[i]`. */
export function scatterRows(rows: Value, ids: Value, count: number): Value {
  const { graph } = rows;
  const shape = [count, dim(rows.shape, 1)];
  const indices = reshape(cast(ids, 'int64'), [dim(ids.shape, 0), 1]);
  const zeros = graph.splat(0, shape, rows.dtype);
  return graph.node('ScatterND', [zeros, indices, rows], { reduction: 'add' }, { shape, dtype: rows.dtype });
}
