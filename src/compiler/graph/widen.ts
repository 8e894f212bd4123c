/**
 * Operations of a tensor with a number for each channel, where channels lie last and are few: ONNX Runtime goes through such a
 * tensor in runs of as many elements as the smaller operand has. Here that is repeated, so that runs are long enough for SIMD.
 */
import { expand, reshape } from './layout.js';
import { rebuild } from './rebuild.js';
import { isOne, sizeOf } from './shapes.js';
import type { Value } from './value.js';

const OPERATORS = new Set(['Add', 'Sub', 'Mul', 'Div']);
/** Runs of this many elements are long enough. */
const LONG = 256;
/** Tensors smaller than this are not worth another node. */
const SMALLEST = 1 << 14;

export function widenBroadcasts(outputs: readonly Value[]): Value[] {
  return rebuild(outputs, new Map(), (value) => {
    if (!OPERATORS.has(value.op) || sizeOf(value.shape) < SMALLEST) return value;
    const [a, b] = value.inputs as [Value, Value];
    return widened(value, a, b, false) ?? widened(value, b, a, true) ?? value;
  });
}

/** @param swapped whether the repeated operand is the first one. */
function widened(value: Value, x: Value, repeated: Value, swapped: boolean): Value | undefined {
  const channels = value.shape.at(-1) as number;
  const isVector = sizeOf(repeated.shape) === channels && isOne(repeated.shape.slice(0, -1)) && channels > 1;
  if (!isVector || channels >= LONG || sizeOf(x.shape) !== sizeOf(value.shape)) return undefined;
  const times = repetitions(value.shape, channels);
  if (times === 1) return undefined;
  const width = times * channels;
  const run = reshape(expand(reshape(repeated, [1, channels]), [times, channels]), [width]);
  const rows = reshape(x, [sizeOf(value.shape) / width, width]);
  const operands = swapped ? [run, rows] : [rows, run];
  const wide = value.graph.node(value.op, operands, value.attrs, { shape: rows.shape, dtype: value.dtype });
  return reshape(wide, value.shape);
}

/** How often a run of the last axis is repeated: over as many of the axes before it as make it long, never over the first. */
function repetitions(shape: readonly number[], channels: number): number {
  let times = 1;
  for (let axis = shape.length - 2; axis > 0 && times * channels < LONG; axis--) times *= shape[axis] as number;
  return times;
}
