/** tfjs kernels that reduce along axes, and softmax. */
import { sub, unary } from '../graph/elementwise.js';
import { asTransposed, cast } from '../graph/layout.js';
import { argReduce, type ReduceOp, reduce, reduceBool } from '../graph/reduction.js';
import { normalizeAxes } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { input, type KernelRule, type KernelTable } from './rule.js';

/** tfjs names the axes `axis` in some kernels and `reductionIndices` in others. */
const over =
  (op: ReduceOp): KernelRule =>
  (inputs, attrs) => {
    const x = input(inputs, 'x');
    // A sum of bools counts them.
    const numbers = x.dtype === 'bool' ? cast(x, 'int32') : x;
    return reduce(op, numbers, attrs.axis ?? attrs.reductionIndices, attrs.keepDims ?? false);
  };

/** Softmax along an axis; ONNX' operator is fastest on the last one and tfjs allows only that. */
function softmax(x: Value, axis: number): Value {
  const [along] = normalizeAxes(axis, x.shape.length) as [number];
  return asTransposed(x)
    ? x.graph.node('Softmax', [x], { axis: along }, { shape: x.shape, dtype: x.dtype })
    : unary('Softmax', x, { axis: along });
}

/** Sums of what comes before each element along an axis, the element itself included unless `exclusive`. */
const cumsum: KernelRule = (inputs, attrs, graph) => {
  const x = input(inputs, 'x');
  const [axis] = normalizeAxes(attrs.axis ?? 0, x.shape.length) as [number];
  const at = graph.constant(Int32Array.of(axis), [], 'int32');
  const flags = { exclusive: Number(attrs.exclusive ?? false), reverse: Number(attrs.reverse ?? false) };
  return graph.node('CumSum', [x, at], flags, { shape: x.shape, dtype: x.dtype });
};

export const reduction: KernelTable = {
  All: (inputs, attrs) => reduceBool('All', input(inputs, 'x'), attrs.axis, attrs.keepDims ?? false),
  Any: (inputs, attrs) => reduceBool('Any', input(inputs, 'x'), attrs.axis, attrs.keepDims ?? false),
  ArgMax: (inputs, attrs) => argReduce('ArgMax', input(inputs, 'x'), attrs.axis ?? 0),
  ArgMin: (inputs, attrs) => argReduce('ArgMin', input(inputs, 'x'), attrs.axis ?? 0),
  Cumsum: cumsum,
  LogSoftmax: (inputs, attrs) => {
    const x = input(inputs, 'logits');
    const shifted = sub(x, reduce('ReduceMax', x, attrs.axis, true));
    return sub(shifted, unary('Log', reduce('ReduceSum', unary('Exp', shifted), attrs.axis, true)));
  },
  Max: over('ReduceMax'),
  Mean: (inputs, attrs) =>
    reduce('ReduceMean', cast(input(inputs, 'x'), 'float32'), attrs.axis, attrs.keepDims ?? false),
  Min: over('ReduceMin'),
  Prod: over('ReduceProd'),
  Softmax: (inputs, attrs) => softmax(input(inputs, 'logits'), attrs.dim),
  Sum: over('ReduceSum'),
};
