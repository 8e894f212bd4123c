/**
 * Operations of a tensor with a number for each channel, where channels lie last and are few: ONNX Runtime goes through such a
 * tensor in runs of as many elements as the smaller operand has. Here that is repeated along the axis before, or more of
 * them, so that runs are long enough for SIMD.
 */
import { expand, reshape } from './layout.js';
import { rebuild } from './rebuild.js';
import { dim, isOne, sameShape, sizeOf } from './shapes.js';
import { isTwinColumns } from './twins.js';
import type { Value } from './value.js';

const OPERATORS = new Set(['Add', 'Sub', 'Mul', 'Div']);
/** Runs of this many elements are long enough. */
const LONG = 256;
/** Tensors smaller than this are not worth another node. */
const SMALLEST = 1 << 14;

/** @param isKept which operations stay as they are. */
export function widenBroadcasts(outputs: readonly Value[], isKept = (_: Value) => false): Value[] {
  return rebuild(outputs, new Map(), (value) => {
    if (!OPERATORS.has(value.op) || sizeOf(value.shape) < SMALLEST || isKept(value)) return value;
    const [a, b] = value.inputs as [Value, Value];
    return widened(value, a, b, false) ?? widened(value, b, a, true) ?? value;
  });
}

/** @param swapped whether the repeated operand is the first one. */
function widened(value: Value, x: Value, repeated: Value, swapped: boolean): Value | undefined {
  const channels = dim(value.shape, -1);
  if (isTwinColumns(repeated, value.shape)) return widenedTwin(value, x, repeated, swapped);
  const isVector = sizeOf(repeated.shape) === channels && isOne(repeated.shape.slice(0, -1)) && channels > 1;
  if (!isVector || channels >= LONG || !sameShape(x.shape, value.shape)) return undefined;
  const axis = firstRepeated(value.shape);
  if (axis === value.shape.length - 1) return undefined;
  const run = expand(reshape(repeated, [channels]), value.shape.slice(axis));
  const { graph, op, attrs, shape, dtype } = value;
  return graph.node(op, swapped ? [run, x] : [x, run], attrs, { shape, dtype });
}

/** Beside a twin (see `twins`): several pixels make a run. */
function widenedTwin(value: Value, x: Value, repeated: Value, swapped: boolean): Value | undefined {
  const { graph, op, attrs, shape, dtype } = value;
  const [batch, blocks, pixels, block] = shape as [number, number, number, number];
  if (!sameShape(x.shape, shape)) return undefined;
  let together = 1;
  while (pixels % together !== 0 || (together * block < LONG && together < pixels)) together++;
  const run = reshape(expand(reshape(repeated, [blocks, 1, 1, block]), [blocks, 1, together, block]), [
    blocks,
    1,
    together * block,
  ]);
  const longer = [batch, blocks, pixels / together, together * block];
  const operands = swapped ? [run, reshape(x, longer)] : [reshape(x, longer), run];
  return reshape(graph.node(op, operands, attrs, { shape: longer, dtype }), shape);
}

/** The axis from which on a run is written out: as many of the last as make it long, never the first. */
function firstRepeated(shape: readonly number[]): number {
  let axis = shape.length - 1;
  for (let run = dim(shape, -1); axis > 1 && run < LONG; run *= shape[axis] as number) axis--;
  return axis;
}
