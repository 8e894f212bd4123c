/**
 * The compiler's intermediate form: an acyclic graph of ONNX operators over tensors of known shape.
 * Nodes are hash-consed: asking for the same operator on the same inputs twice gives the same node, so common
 * subexpressions never exist, and dead nodes are those that no output reaches.
 */
import type { DType } from '../../common/program.js';
import { isOne } from './shapes.js';

/** int64 exists only inside programs: it is what ONNX gives for indices. */
export type IrType = DType | 'int64';
export type AttrValue = number | string | readonly number[];
export type Attrs = Readonly<Record<string, AttrValue>>;
export type ConstantData = Float32Array | Int32Array | Uint8Array | BigInt64Array;

export interface Value {
  readonly id: number;
  readonly graph: Graph;
  /** ONNX operator, or 'Input', 'Constant', or '#1', '#2', ... for a further output of the node in `inputs[0]`. */
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attrs: Attrs;
  readonly shape: readonly number[];
  readonly dtype: IrType;
  /** Elements of a constant; a single element stands for all when `splat` is set. */
  readonly data?: ConstantData;
  /** Set for constants whose elements are all equal. */
  readonly splat?: number;
  /** Layer during whose call the node was first made, for error messages. */
  readonly layer?: string | undefined;
}

export interface NodeType {
  shape: readonly number[];
  dtype: IrType;
}

/** Owner and maker of values. */
export class Graph {
  /** Layer now being called; stamped on new nodes. */
  currentLayer: string | undefined;
  readonly #nodes = new Map<string, Value>();
  #count = 0;

  /** The node `op(inputs, attrs)`; an existing one if there is one. */
  node(op: string, inputs: readonly Value[], attrs: Attrs, type: NodeType): Value {
    const key = nodeKey(op, inputs, attrs, type.dtype);
    const known = this.#nodes.get(key);
    if (known) return known;
    return this.#add(key, { op, inputs, attrs, shape: type.shape, dtype: type.dtype });
  }

  /** The node if it was made before, so that a rewrite can use what is computed anyway. */
  find(op: string, inputs: readonly Value[], attrs: Attrs, dtype: IrType): Value | undefined {
    return this.#nodes.get(nodeKey(op, inputs, attrs, dtype));
  }

  input(name: string, type: NodeType): Value {
    return this.node('Input', [], { name }, type);
  }

  /** A constant from its elements; recognises uniform ones. */
  constant(data: ConstantData, shape: readonly number[], dtype: IrType): Value {
    if (dtype !== 'int64' && isUniform(data as Float32Array)) return this.splat(Number(data[0]), shape, dtype);
    const content = data.length <= 64 ? (data as Float32Array).join() : `#${this.#count}`;
    const key = `Constant|${dtype}|${shape}|${content}`;
    const known = this.#nodes.get(key);
    return known ?? this.#add(key, { op: 'Constant', inputs: [], attrs: {}, shape, dtype, data });
  }

  /** A constant whose elements are all `value`. */
  splat(value: number, shape: readonly number[], dtype: IrType = 'float32'): Value {
    const rounded = dtype === 'float32' ? Math.fround(value) : value;
    const key = `Splat|${dtype}|${shape}|${Object.is(rounded, -0) ? '-0' : rounded}`;
    const known = this.#nodes.get(key);
    return known ?? this.#add(key, { op: 'Constant', inputs: [], attrs: {}, shape, dtype, splat: rounded });
  }

  #add(key: string, fields: Omit<Value, 'id' | 'graph' | 'layer'>): Value {
    const value: Value = { id: this.#count++, graph: this, layer: this.currentLayer, ...fields };
    this.#nodes.set(key, value);
    return value;
  }
}

function isUniform(data: Float32Array): boolean {
  const first = data[0];
  return data.length > 0 && data.every((x) => Object.is(x, first));
}

function nodeKey(op: string, inputs: readonly Value[], attrs: Attrs, dtype: IrType): string {
  return `${op}|${inputs.map((v) => v.id).join()}|${JSON.stringify(attrs)}|${dtype}`;
}

/** Whether the value has exactly one element. */
export function isScalarLike(value: Value): boolean {
  return isOne(value.shape);
}

/** Values that the outputs need, inputs before users. What a `given` value needs is left out. */
export function topologicalOrder(outputs: readonly Value[], given?: (value: Value) => boolean): Value[] {
  const done = new Set<Value>();
  const order: Value[] = [];
  // An explicit stack: recurrent networks unroll into graphs deeper than the call stack.
  const stack: { value: Value; entered: boolean }[] = outputs.map((value) => ({ value, entered: false })).reverse();
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (done.has(top.value)) continue;
    if (top.entered) {
      done.add(top.value);
      order.push(top.value);
      continue;
    }
    stack.push({ value: top.value, entered: true });
    if (given?.(top.value)) continue;
    for (const input of [...top.value.inputs].reverse())
      if (!done.has(input)) stack.push({ value: input, entered: false });
  }
  return order;
}

/** By value, what reads it, each once. */
export function usersOf(order: readonly Value[]): Map<Value, Value[]> {
  const users = new Map<Value, Value[]>(order.map((value) => [value, []]));
  for (const value of order) for (const input of new Set(value.inputs)) users.get(input)?.push(value);
  return users;
}
