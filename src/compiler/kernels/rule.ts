/** What a table entry is: the shape rule and the lowering of one tfjs kernel, in one function. */
import type { Graph, Value } from '../graph/value.js';

/** tfjs' kernel inputs, by tfjs' names ('x', 'a', 'b', ...) or by position for kernels that take lists. */
export type KernelInputs = Readonly<Record<string, Value>>;
// tfjs passes attributes of many types; each rule knows the ones of its kernel.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type KernelAttrs = Readonly<Record<string, any>>;

/**
 * Lowers one call of a kernel. The result's shape and type must be those that tfjs' own kernel gives: tfjs goes on
 * tracing with them.
 */
export type KernelRule = (inputs: KernelInputs, attrs: KernelAttrs, graph: Graph) => Value | Value[];
export type KernelTable = Readonly<Record<string, KernelRule>>;

/** The input of that name; an error says which one a kernel lacks. */
export function input(inputs: KernelInputs, name: string): Value {
  const value = inputs[name];
  if (!value) throw new TypeError(`kernel input '${name}' is missing, got ${Object.keys(inputs).join(', ') || 'none'}`);
  return value;
}

/** The inputs of a kernel that takes a list. */
export function inputList(inputs: KernelInputs): Value[] {
  return Object.keys(inputs)
    .map(Number)
    .sort((a, b) => a - b)
    .map((i) => inputs[i] as Value);
}
