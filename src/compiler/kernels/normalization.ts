/** tfjs kernels for normalization. */
import { add, mul, scalar, sub, unary } from '../graph/elementwise.js';
import { input, type KernelTable } from './rule.js';

export const normalization: KernelTable = {
  FusedBatchNorm: (inputs, attrs) => {
    const [x, variance] = [input(inputs, 'x'), input(inputs, 'variance')];
    const deviation = unary('Sqrt', add(variance, scalar(variance, attrs.varianceEpsilon)));
    const inverse = unary('Reciprocal', deviation);
    const factor = inputs.scale ? mul(inverse, inputs.scale) : inverse;
    // x - mean is what the gradient needs too.
    const normalized = mul(sub(x, input(inputs, 'mean')), factor);
    return inputs.offset ? add(normalized, inputs.offset) : normalized;
  },
};
