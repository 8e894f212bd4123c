/** tfjs kernels that make constants, and constants from JavaScript values. */
import type { ConstantData, Graph, Value } from '../graph/value.js';
import type { KernelRule, KernelTable } from './rule.js';

const range: KernelRule = (_, attrs, graph) => {
  const { start, stop, step, dtype } = attrs;
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const numbers = Array.from({ length: count }, (_, i) => start + i * step);
  return graph.constant(constantData(numbers, dtype), [count], dtype);
};

function constantData(numbers: ArrayLike<number>, dtype: Value['dtype']): ConstantData {
  if (dtype === 'float32') return Float32Array.from(numbers);
  return dtype === 'bool' ? Uint8Array.from(numbers) : Int32Array.from(numbers);
}

/** A constant from values that tfjs holds in JavaScript. */
export function constantOf(
  graph: Graph,
  values: ArrayLike<number>,
  shape: readonly number[],
  dtype: Value['dtype'],
): Value {
  return graph.constant(constantData(values, dtype), shape, dtype);
}

export const constant: KernelTable = {
  Fill: (_, attrs, graph) => graph.splat(attrs.value, attrs.shape, attrs.dtype ?? 'float32'),
  Range: range,
};
