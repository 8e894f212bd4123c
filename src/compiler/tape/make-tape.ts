/** From the graph of a small step to a tape. */

import type { InputRole, OutputRole } from '../../common/program.js';
import { BINARY, CALL, type Place, REDUCE, type Tape, UNARY, type Word } from '../../common/tape.js';
import { sizeOf } from '../graph/shapes.js';
import { topologicalOrder, type Value } from '../graph/value.js';
import { isSmall } from './is-small.js';
import { parametersOf } from './operator-parameters.js';
import { broadcastStrides, mergeAxes, middleAxis, stridesOf } from './strides.js';

/** An input or output of the program. */
export interface Named<R> {
  name: string;
  role: R;
  value: Value;
}

/** An operator or a form of it that tapes do not have. */
class NotOnTape extends Error {}

/** Bytes at which tensors begin: SIMD loads like them so. */
const ALIGNMENT = 16;
/** Values of a constant that are written out. */
const LARGEST_CONSTANT = 1 << 14;

/** The tape of a program; undefined if it is better left to ONNX Runtime, or if it does what tapes cannot. */
export function makeTape(inputs: readonly Named<InputRole>[], outputs: readonly Named<OutputRole>[]): Tape | undefined {
  const order = topologicalOrder(outputs.map(({ value }) => value));
  if (!isSmall(order)) return undefined;
  try {
    return new TapeMaker(inputs, outputs).make(order);
  } catch (error) {
    if (error instanceof NotOnTape) return undefined;
    throw error;
  }
}

const VIEWS = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten']);

class TapeMaker {
  readonly #outputs: readonly Named<OutputRole>[];
  readonly #places = new Map<Value, Place>();
  /** Where outputs are wanted that a call can put there. */
  readonly #wanted = new Map<Value, Place>();
  readonly #tape: Tape = { scratchBytes: 0, constants: [], buffers: {}, calls: [] };

  constructor(inputs: readonly Named<InputRole>[], outputs: readonly Named<OutputRole>[]) {
    this.#outputs = outputs;
    for (const { name, role, value } of inputs) {
      // Whole numbers and booleans become floats when their rows are gathered.
      this.#places.set(value, role.kind === 'weight' ? { weight: role.index } : this.#buffer(name, value));
    }
    for (const { name, role, value } of outputs) {
      if (role.kind === 'gradient' || role.kind === 'state')
        this.#wanted.set(sourceOf(value), { gradient: role.index });
      else if (role.kind === 'logs') this.#wanted.set(sourceOf(value), this.#buffer(name, value));
      else throw new NotOnTape();
    }
  }

  make(order: readonly Value[]): Tape {
    for (const value of order) this.#add(value);
    for (const { name, role, value } of this.#outputs) {
      const at =
        role.kind === 'logs'
          ? { scratch: this.#tape.buffers[name] as number }
          : { gradient: (role as { index: number }).index };
      if (!samePlace(this.#place(value), at)) this.#copyAll(at, value);
    }
    return this.#tape;
  }

  #add(value: Value): void {
    if (this.#places.has(value)) return;
    const { op, inputs } = value;
    // A constant gets a place where it is used.
    if (op === 'Constant') return;
    if (VIEWS.has(op) || this.#isSameNumber(value)) this.#places.set(value, this.#place(inputs[0] as Value));
    else this.#call(value);
  }

  #call(value: Value): void {
    const { op } = value;
    if (op === 'Gemm' || op === 'MatMul' || op === 'FusedMatMul') this.#gemm(value);
    else if (op in BINARY) this.#binary(value, BINARY[op as keyof typeof BINARY]);
    else if (op in UNARY) this.#unary(value, UNARY[op as keyof typeof UNARY]);
    else if (op === 'Cast') this.#unary(value, value.dtype === 'bool' ? UNARY.notZero : UNARY.truncate);
    else if (op in REDUCE) this.#reduce(value, REDUCE[op as keyof typeof REDUCE]);
    else if (op === 'Where') this.#where(value);
    else if (op === 'Softmax') this.#softmax(value);
    else if (op === 'ArgMax' || op === 'ArgMin') this.#argMax(value);
    else if (op === 'Concat') this.#concat(value);
    else if (op === 'Expand') this.#expand(value);
    else if (op === 'Transpose') this.#transpose(value);
    else throw new NotOnTape();
  }

  /** Casts that change nothing where all numbers are floats. */
  #isSameNumber({ op, inputs, dtype }: Value): boolean {
    const from = inputs[0]?.dtype;
    return op === 'Cast' && (dtype === from || dtype === 'float32' || (from !== 'float32' && dtype !== 'bool'));
  }

  #gemm(value: Value): void {
    const [a, b, bias] = value.inputs as [Value, Value, Value?];
    const { transA = 0, transB = 0, alpha = 1, beta = 1 } = value.attrs as Record<string, number>;
    if (a.shape.length !== 2 || b.shape.length !== 2 || alpha !== 1 || beta !== 1) throw new NotOnTape();
    const [m, n] = value.shape as [number, number];
    const k = a.shape[transA ? 0 : 1] as number;
    const [aRow, aColumn] = turned(stridesOf(a.shape), transA);
    const [bRow, bColumn] = turned(stridesOf(b.shape), transB);
    const [biasRow, biasColumn] = bias ? (broadcastStrides(bias.shape, value.shape) as [number, number]) : [0, 0];
    this.#emit(
      CALL.gemm,
      this.#make(value),
      this.#place(a),
      this.#place(b),
      bias ? this.#place(bias) : 0,
      m,
      n,
      k,
      aRow,
      aColumn,
      bRow,
      bColumn,
      biasRow,
      biasColumn,
    );
  }

  #binary(value: Value, op: number): void {
    const [a, b] = value.inputs as [Value, Value];
    const { sizes, strides } = this.#merged(value.shape, [a, b], 3);
    this.#emit(CALL.binary, op, this.#make(value), this.#operand(a), this.#operand(b), ...sizes, ...strides.flat());
  }

  #where(value: Value): void {
    const { sizes, strides } = this.#merged(value.shape, value.inputs, 3);
    const operands = value.inputs.map((input) => this.#operand(input));
    this.#emit(CALL.where, this.#make(value), ...operands, ...sizes, ...strides.flat());
  }

  #unary(value: Value, op: number): void {
    const [x] = value.inputs as [Value];
    const parameters = parametersOf(value);
    if (!parameters) throw new NotOnTape();
    const [alpha, beta] = parameters;
    this.#emit(
      CALL.unary,
      op,
      this.#make(value),
      this.#place(x),
      sizeOf(value.shape),
      { float: alpha },
      { float: beta },
    );
  }

  #reduce(value: Value, op: number): void {
    const [x] = value.inputs as [Value];
    const axes = (value.attrs.axes as number[] | undefined) ?? x.shape.map((_, axis) => axis);
    const sizes = middleAxis(x.shape, axes);
    if (!sizes) throw new NotOnTape();
    this.#emit(CALL.reduce, op, this.#make(value), this.#place(x), ...sizes);
  }

  #softmax(value: Value): void {
    const [rows, columns] = lastAxis(value, value.shape);
    this.#emit(CALL.softmax, this.#make(value), this.#place(value.inputs[0] as Value), rows, columns);
  }

  #argMax(value: Value): void {
    const [x] = value.inputs as [Value];
    const [rows, columns] = lastAxis(value, x.shape);
    this.#emit(CALL.argMax, this.#make(value), this.#place(x), rows, columns, {
      float: value.op === 'ArgMax' ? 1 : -1,
    });
  }

  #concat(value: Value): void {
    const { shape, inputs, attrs } = value;
    const axis = Number(attrs.axis) < 0 ? Number(attrs.axis) + shape.length : Number(attrs.axis);
    const rest = sizeOf(shape.slice(axis + 1));
    const whole = (shape[axis] as number) * rest;
    const outer = sizeOf(shape.slice(0, axis));
    const to = this.#make(value);
    let start = 0;
    for (const input of inputs) {
      const width = (input.shape[axis] as number) * rest;
      const target = shifted(to, start * 4);
      this.#emit(CALL.copy, target, this.#place(input), 1, 1, outer, width, 0, 0, width * 4, 4, 0, 0, whole * 4, 4);
      start += width;
    }
  }

  #expand(value: Value): void {
    const [x] = value.inputs as [Value];
    this.#copy(value, broadcastStrides(x.shape, value.shape));
  }

  #transpose(value: Value): void {
    const [x] = value.inputs as [Value];
    const own = stridesOf(x.shape);
    const perm = (value.attrs.perm as number[] | undefined) ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
    this.#copy(
      value,
      perm.map((axis) => own[axis] as number),
    );
  }

  /** A tensor made of the elements of another, read with given strides. */
  #copy(value: Value, from: number[]): void {
    const merged = mergeAxes(value.shape, [from, stridesOf(value.shape)], 4);
    if (!merged) throw new NotOnTape();
    this.#emit(
      CALL.copy,
      this.#make(value),
      this.#place(value.inputs[0] as Value),
      ...merged.sizes,
      ...merged.strides.flat(),
    );
  }

  #copyAll(to: Place, value: Value): void {
    const size = sizeOf(value.shape);
    this.#emit(CALL.copy, to, this.#place(value), 1, 1, 1, size, 0, 0, 0, 4, 0, 0, 0, 4);
  }

  #merged(shape: readonly number[], inputs: readonly Value[], count: number) {
    const strides = inputs.map((input) =>
      input.splat !== undefined ? shape.map(() => 0) : broadcastStrides(input.shape, shape),
    );
    // The result lies in one piece: axes are merged only where that holds too.
    const merged = mergeAxes(shape, [...strides, stridesOf(shape)], count);
    if (!merged) throw new NotOnTape();
    return { sizes: merged.sizes, strides: merged.strides.slice(0, -1) };
  }

  #emit(...words: Word[]): void {
    this.#tape.calls.push(words);
  }

  #place(value: Value): Place {
    const place = this.#places.get(value) ?? this.#constant(value);
    this.#places.set(value, place);
    return place;
  }

  /** As `#place`, but of a constant that is the same everywhere one number is enough, read with strides of 0. */
  #operand(value: Value): Place {
    return value.splat === undefined ? this.#place(value) : this.#put(Float32Array.of(value.splat));
  }

  /** Where the result of a call goes. */
  #make(value: Value): Place {
    const place = this.#wanted.get(value) ?? { scratch: this.#reserve(sizeOf(value.shape)) };
    this.#places.set(value, place);
    return place;
  }

  #buffer(name: string, value: Value): Place {
    const at = this.#reserve(sizeOf(value.shape));
    this.#tape.buffers[name] = at;
    return { scratch: at };
  }

  #constant({ op, splat, data, shape }: Value): Place {
    if (op !== 'Constant') throw new Error(`the tape has no place for ${op}`);
    const size = sizeOf(shape);
    if (size > LARGEST_CONSTANT) throw new NotOnTape();
    const all = splat === undefined ? Float32Array.from(data as ArrayLike<number>, Number) : undefined;
    return this.#put(all ?? new Float32Array(size).fill(splat as number));
  }

  #put(values: Float32Array): Place {
    const at = this.#reserve(values.length);
    this.#tape.constants.push({ at, values });
    return { scratch: at };
  }

  #reserve(size: number): number {
    const at = this.#tape.scratchBytes;
    this.#tape.scratchBytes += Math.ceil((size * 4) / ALIGNMENT) * ALIGNMENT;
    return at;
  }
}

/** What a value is a view of. */
function sourceOf(value: Value): Value {
  return VIEWS.has(value.op) ? sourceOf(value.inputs[0] as Value) : value;
}

function samePlace(a: Place, b: Place): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function shifted(place: Place, bytes: number): Place {
  if (bytes === 0) return place;
  if ('scratch' in place) return { scratch: place.scratch + bytes };
  throw new NotOnTape();
}

function turned([row, column]: number[], transposed: number): [number, number] {
  return (transposed ? [column, row] : [row, column]) as [number, number];
}

/** Rows and columns of an operator along the last axis. */
function lastAxis({ attrs }: Value, shape: readonly number[]): [number, number] {
  const axis = Number(attrs.axis ?? -1);
  if (axis !== -1 && axis !== shape.length - 1) throw new NotOnTape();
  const columns = shape.at(-1) ?? 1;
  return [sizeOf(shape) / columns, columns];
}
