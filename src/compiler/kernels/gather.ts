/** tfjs kernels that pick rows by index, and the gradient of picking. */
import { cast, reshape } from '../graph/layout.js';
import { scatterRows } from '../graph/scatter.js';
import { normalizeAxes, sizeOf } from '../graph/shapes.js';
import { input, type KernelRule, type KernelTable } from './rule.js';

const gather: KernelRule = (inputs, attrs, graph) => {
  const [x, indices] = [input(inputs, 'x'), input(inputs, 'indices')];
  const [axis] = normalizeAxes(attrs.axis ?? 0, x.shape.length) as [number];
  if (attrs.batchDims) throw new RangeError(`gather with batchDims is not supported, got ${attrs.batchDims}`);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return graph.node('Gather', [x, cast(indices, 'int32')], { axis }, { shape, dtype: x.dtype });
};

/** Row i of the result is the sum of the rows of x whose segment id is i: what an embedding's gradient is. */
const unsortedSegmentSum: KernelRule = (inputs, attrs) => {
  const [x, ids] = [input(inputs, 'x'), input(inputs, 'segmentIds')];
  const count: number = attrs.numSegments;
  const rowShape = x.shape.slice(ids.shape.length);
  const rows = reshape(x, [sizeOf(ids.shape), sizeOf(rowShape)]);
  return reshape(scatterRows(rows, reshape(ids, [sizeOf(ids.shape)]), count), [count, ...rowShape]);
};

/** The k largest along the last axis, largest first, of equal ones the first, and where they stand. */
const topK: KernelRule = (inputs, attrs, graph) => {
  const x = input(inputs, 'x');
  const k: number = attrs.k;
  const shape = [...x.shape.slice(0, -1), k];
  const count = graph.constant(BigInt64Array.of(BigInt(k)), [1], 'int64');
  const values = graph.node('TopK', [x, count], { axis: x.shape.length - 1 }, { shape, dtype: x.dtype });
  return [values, cast(graph.node('#1', [values], {}, { shape, dtype: 'int64' }), 'int32')];
};

export const gathering: KernelTable = { GatherV2: gather, TopK: topK, UnsortedSegmentSum: unsortedSegmentSum };
