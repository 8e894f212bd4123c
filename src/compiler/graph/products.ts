import { sizeOf } from './shapes.js';
import type { Value } from './value.js';

type Depth = (inputs: readonly Value[], attrs: Value['attrs']) => number;

/** How many products make one element of each operator that is made of them: nearly all of the arithmetic of a network. */
const DEPTHS: Readonly<Record<string, Depth>> = {
  Gemm: innerSize,
  FusedMatMul: innerSize,
  MatMul: innerSize,
  Conv: filterSize,
  BlockedConv: filterSize,
  FilterGradient: pixels,
};

/** Multiplications of a matrix product or a convolution; 0 of anything else, and of a product with ones, which is a sum. */
export function productsOf({ op, inputs, attrs, shape }: Value): number {
  if (inputs[0]?.splat !== undefined) return 0;
  return sizeOf(shape) * (DEPTHS[op]?.(inputs, attrs) ?? 0);
}

/** The axis that a matrix product sums over. */
function innerSize([a]: readonly Value[], { transA }: Value['attrs']): number {
  return (a as Value).shape.at(transA ? -2 : -1) ?? 1;
}

/** A filter [out, in / groups, ...kernel] is one inner product for each output. */
function filterSize([, filter]: readonly Value[]): number {
  const { shape } = filter as Value;
  return sizeOf(shape) / (shape[0] as number);
}

/** An element of a filter's gradient is a sum over all pixels of the gradient. */
function pixels([, dy]: readonly Value[]): number {
  const { shape } = dy as Value;
  return sizeOf(shape) / (shape.at(-1) as number);
}
