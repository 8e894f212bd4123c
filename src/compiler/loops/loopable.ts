/** What can be computed in a loop: operations on every element of large tensors, beside numbers for each channel, and sums for each channel. */
import { FLOAT_BYTES } from '../../common/arena.js';
import { isAtHand } from '../graph/at-hand.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import { broadcastStrides, middleAxis, stridesOf } from '../tape/strides.js';
import { LANES } from './wasm-code.js';

/** Elements of what is known before the program begins that are copied to where loops read it, at most. */
const LARGEST_COPY = 1 << 16;
/** A sum keeps a number for each of so many columns at hand, at most. */
const MOST_COLUMNS = 64;

const ARITHMETIC = new Set('Abs HardSigmoid LeakyRelu Neg Reciprocal Relu Sqrt Sum'.split(' '));
const OF_PAIRS = new Set('Add Div Max Min Mul Sub'.split(' '));
const COMPARISONS = new Set(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);
const LOGIC = new Set(['And', 'Not', 'Or']);

/** An axis of a loop: its size, and elements from one to the next of a tensor along it. */
export interface LoopAxis {
  size: number;
  stride: number;
}

/** Whether a value shows another in another shape. */
export function isView({ op, inputs, shape }: Value): boolean {
  return op === 'Reshape' || (op === 'Expand' && sizeOf((inputs[0] as Value).shape) === sizeOf(shape));
}

/** What a value shows in another shape. */
export function viewed(value: Value): Value {
  return isView(value) ? viewed(value.inputs[0] as Value) : value;
}

/** How a loop reads an operand. */
export interface LoopRead {
  /** The tensor in memory. */
  source: Value;
  /** Its first element that is read. */
  first: number;
  /** From the outermost to the innermost. */
  axes: LoopAxis[];
}

/** The tensor that a loop over `value` reads for an operand: what it repeats, or is cut from. */
export function sourceOf(value: Value, operand: Value): Value {
  return readOf(value, operand).source;
}

/** How a loop over `value` goes through an operand. */
export function readOf(value: Value, operand: Value): LoopRead {
  const cut = sizeOf(operand.shape) === loopSize(value) ? cutRead(viewed(operand)) : undefined;
  if (cut) return cut;
  const repeated = operand.op === 'Expand' ? (operand.inputs[0] as Value) : operand;
  const shape = isSum(value) ? operand.shape : value.shape;
  return { source: viewed(repeated), first: 0, axes: merged(shape, elementStrides(repeated.shape, shape)) };
}

/** A slice, or a piece of a tensor that is split, as a part of what it is cut from, if that can be read in vectors. */
function cutRead(part: Value): LoopRead | undefined {
  const { op, inputs, attrs, shape } = part;
  const start = shape.map(() => 0);
  const step = shape.map(() => 1);
  let whole: Value;
  if (op === 'Slice') {
    whole = inputs[0] as Value;
    const { starts, axes, steps } = attrs as Record<string, number[]>;
    axes?.forEach((axis, i) => {
      start[axis] = starts?.[i] as number;
      step[axis] = steps?.[i] as number;
    });
  } else if (op === 'Split' || (op.startsWith('#') && inputs[0]?.op === 'Split')) {
    const node = op === 'Split' ? part : (inputs[0] as Value);
    whole = node.inputs[0] as Value;
    const before = (node.attrs.split as number[]).slice(0, op === 'Split' ? 0 : Number(op.slice(1)));
    start[Number(node.attrs.axis)] = before.reduce((sum, size) => sum + size, 0);
  } else {
    return undefined;
  }
  const source = viewed(whole);
  if (isAtHand(source) || start.some((n) => n < 0) || step.some((n) => n < 1)) return undefined;
  const strides = elementStrides(whole.shape, whole.shape, true);
  const first = start.reduce((sum, n, axis) => sum + n * (strides[axis] as number), 0);
  const axes = merged(
    shape,
    strides.map((stride, axis) => stride * (step[axis] as number)),
  );
  return isInVectors(axes) ? { source, first, axes } : undefined;
}

/** Elements from one to the next along each axis of `target`; 0 along those that are repeated, unless `all` have their own. */
function elementStrides(shape: readonly number[], target: readonly number[], all = false): number[] {
  return (all ? stridesOf(shape) : broadcastStrides(shape, target)).map((bytes) => bytes / FLOAT_BYTES);
}

/** Operands that are tensors; numbers that are the same everywhere are written into the loop. */
export function operandsOf({ op, inputs }: Value): readonly Value[] {
  return (op === 'Clip' ? inputs.slice(0, 1) : inputs).filter(({ splat }) => splat === undefined);
}

/** Elements that the loop of a value goes through. */
export function loopSize(value: Value): number {
  return sizeOf(isSum(value) ? (value.inputs[0] as Value).shape : value.shape);
}

/** What a loop finds true or false can only be used in that loop. */
export function isMask(value: Value): boolean {
  return value.dtype === 'bool' && fitsLoop(value);
}

export function isSum({ op }: Value): boolean {
  return op === 'ReduceSum';
}

/** Whether a loop can compute the value from tensors in memory. */
export function fitsLoop(value: Value): boolean {
  if (!isOperator(value) || loopSize(value) % LANES !== 0 || loopSize(value) === 0) return false;
  return operandsOf(value).every((operand) => {
    const { source, axes } = readOf(value, operand);
    if (isAtHand(source) && sizeOf(source.shape) > LARGEST_COPY) return false;
    return source.dtype === operand.dtype && isInVectors(axes);
  });
}

function isOperator(value: Value): boolean {
  const { op, inputs, dtype, attrs } = value;
  const areFloats = inputs.every((input) => input.dtype === 'float32');
  if (ARITHMETIC.has(op)) return areFloats && dtype === 'float32';
  if (OF_PAIRS.has(op)) return areFloats && dtype === 'float32' && inputs.length === 2;
  if (COMPARISONS.has(op)) return areFloats;
  if (LOGIC.has(op)) return inputs.every((input) => input.dtype === 'bool' && input.splat === undefined);
  if (op === 'Cast') return dtype === 'float32' && inputs[0]?.dtype === 'bool' && attrs.to === 'float32';
  if (op === 'Where') return dtype === 'float32' && inputs[0]?.splat === undefined;
  if (op === 'Clip')
    return areFloats && inputs.length === 3 && inputs.slice(1).every(({ splat }) => splat !== undefined);
  if (op !== 'ReduceSum' || !areFloats) return false;
  const [, rows, columns] = sumSizes(value) ?? [0, 0, 0];
  return rows > 1 && columns > 0 && columns % LANES === 0 && columns <= MOST_COLUMNS;
}

/** A sum's input as a tensor of three axes, of which the middle one is added up. */
function sumSizes({ inputs, attrs }: Value): [number, number, number] | undefined {
  const { shape } = inputs[0] as Value;
  return middleAxis(shape, (attrs.axes as number[] | undefined) ?? shape.map((_, axis) => axis));
}

/** How a loop goes through its result. */
export function resultAxes(value: Value): LoopAxis[] {
  if (!isSum(value)) return [{ size: loopSize(value), stride: 1 }];
  const [outer, rows, columns] = sumSizes(value) as [number, number, number];
  const axes = [
    { size: outer, stride: columns },
    { size: rows, stride: 0 },
    { size: columns, stride: 1 },
  ];
  return axes.filter(({ size }) => size > 1);
}

function merged(shape: readonly number[], strides: readonly number[]): LoopAxis[] {
  const axes: LoopAxis[] = [];
  for (let i = shape.length - 1; i >= 0; i--) {
    const [size, stride] = [shape[i] as number, strides[i] as number];
    if (size === 1) continue;
    const [inner] = axes;
    if (inner && stride === inner.stride * inner.size) inner.size *= size;
    else axes.unshift({ size, stride });
  }
  return axes;
}

/** Whether a vector of it is in one piece, or the same number. */
function isInVectors(axes: readonly LoopAxis[]): boolean {
  const inner = axes.at(-1);
  return inner !== undefined && inner.size % LANES === 0 && inner.stride <= 1;
}
