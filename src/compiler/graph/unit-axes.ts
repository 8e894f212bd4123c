/**
 * Operators without axes of size 1, where ONNX Runtime counts those like any other and misses its fast way: sums over the second axis of [2048, 64, 1]
 * take it 580 microseconds, of [2048, 64] 13; of [1, 64, 2048] 361, and over the first axis of [64, 2048] 17. Times a number, [2048, 1] takes 38, [2048] 3 (Zen 4).
 */
import { reshape } from './layout.js';
import { BROADCASTING } from './operators.js';
import { rebuild } from './rebuild.js';
import { dim } from './shapes.js';
import { isScalarLike, type Value } from './value.js';

const REDUCTIONS: ReadonlySet<string> = new Set(['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd']);

/** Replaces reductions of values with such axes, and operations of a number with values that end with one. */
export function dropUnitAxes(outputs: readonly Value[]): Value[] {
  return rebuild(outputs, new Map(), (value) => {
    const { op, inputs, shape } = value;
    if (REDUCTIONS.has(op) && inputs[0]?.shape.includes(1)) return reduction(value, inputs[0]);
    const isColumn = shape.length > 0 && dim(shape, -1) === 1 && !isScalarLike(value);
    return isColumn && BROADCASTING.has(op) && inputs.some(isScalarLike) ? elementwise(value) : value;
  });
}

function reduction({ graph, op, attrs, shape, dtype }: Value, x: Value): Value {
  const axes = attrs.axes as number[];
  const own = [...x.shape.keys()].filter((axis) => x.shape[axis] !== 1);
  const sizesOf = (kept: readonly number[]) => kept.map((axis) => x.shape[axis] as number);
  const reduced = own.flatMap((axis, i) => (axes.includes(axis) ? [i] : []));
  // Of a single row there may be nothing to reduce.
  if (reduced.length === 0) return reshape(x, shape);
  const rest = sizesOf(own.filter((axis) => !axes.includes(axis)));
  const small = reshape(x, sizesOf(own));
  return reshape(graph.node(op, [small], { axes: reduced, keepdims: 0 }, { shape: rest, dtype }), shape);
}

function elementwise({ graph, op, attrs, shape, dtype, inputs }: Value): Value {
  const trailing = shape.length - 1 - shape.findLastIndex((n) => n !== 1);
  // An operand of fewer axes has the last ones.
  const short = (x: Value) => reshape(x, isScalarLike(x) ? [] : x.shape.slice(0, -trailing));
  const result = graph.node(op, inputs.map(short), attrs, { shape: shape.slice(0, -trailing), dtype });
  return reshape(result, shape);
}
