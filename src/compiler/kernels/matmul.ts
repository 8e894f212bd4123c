/** tfjs kernels for matrix products. */
import { add } from '../graph/elementwise.js';
import { batchMatMul } from '../graph/linear.js';
import type { Value } from '../graph/value.js';
import { applyActivation } from './activation.js';
import { input, type KernelAttrs, type KernelInputs, type KernelTable } from './rule.js';

function product(inputs: KernelInputs, attrs: KernelAttrs): Value {
  return batchMatMul(input(inputs, 'a'), input(inputs, 'b'), attrs.transposeA ?? false, attrs.transposeB ?? false);
}

export const matmul: KernelTable = {
  BatchMatMul: product,
  // Outside of gradients tfjs fuses bias and activation into one kernel.
  _FusedMatMul: (inputs, attrs) => {
    const y = product(inputs, attrs);
    const biased = inputs.bias ? add(y, inputs.bias) : y;
    return applyActivation(biased, attrs.activation, inputs.preluActivationWeights, attrs.leakyreluAlpha);
  },
};
