/**
 * Operators without axes of size 1, where ONNX Runtime counts those like any other and misses its fast way: sums over the second axis of
 * [2048, 64, 1] take it 580 microseconds, of [2048, 64] 13; of [1, 64, 2048] 361, and over the first axis of [64, 2048] 17. Times a number,
 * [2048, 1] takes 38 microseconds, [2048] 3, as [1, 2048] does (Zen 4).
 */
import { reshape } from './layout.js';
import { BROADCASTING, REDUCTIONS } from './operators.js';
import { rebuild } from './rebuild.js';
import { reducedShape } from './shapes.js';
import { isScalarLike, type Value } from './value.js';

/** Replaces reductions of values with such axes, and operations of a number with values that end with one. */
export function dropUnitAxes(outputs: readonly Value[]): Value[] {
  return rebuild(outputs, new Map(), (value) => {
    const { op, inputs, shape } = value;
    if (REDUCTIONS.has(op) && inputs[0]?.shape.includes(1)) return withoutUnitAxes(value, inputs[0]);
    const endsWithOne = shape.at(-1) === 1 && !isScalarLike(value);
    return endsWithOne && BROADCASTING.has(op) && inputs.some(isScalarLike) ? withoutTrailingOnes(value) : value;
  });
}

/** The reduction of x along those of its axes that are more than 1 long. */
function withoutUnitAxes({ graph, op, attrs, shape, dtype }: Value, x: Value): Value {
  const axes = attrs.axes as number[];
  const own = [...x.shape.keys()].filter((axis) => x.shape[axis] !== 1);
  const sizes = own.map((axis) => x.shape[axis] as number);
  const reduced = own.flatMap((axis, i) => (axes.includes(axis) ? [i] : []));
  // A shard of one row may have nothing left to reduce.
  if (reduced.length === 0) return reshape(x, shape);
  const rest = reducedShape(sizes, reduced, false);
  return reshape(graph.node(op, [reshape(x, sizes)], { axes: reduced, keepdims: 0 }, { shape: rest, dtype }), shape);
}

/** The operation on values of as many axes less as the result ends with ones. */
function withoutTrailingOnes({ graph, op, attrs, shape, dtype, inputs }: Value): Value {
  const trailing = shape.length - 1 - shape.findLastIndex((n) => n !== 1);
  // Operands of fewer axes lack leading ones, so that the same number is cut at the end.
  const short = (x: Value) => reshape(x, isScalarLike(x) ? [] : x.shape.slice(0, -trailing));
  const result = graph.node(op, inputs.map(short), attrs, { shape: shape.slice(0, -trailing), dtype });
  return reshape(result, shape);
}
