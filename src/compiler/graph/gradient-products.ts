/**
 * Products a^T b, as the gradients of weights are. ONNX Runtime transposes a piece by piece in each, and once more for every 128 columns of b
 * (MLAS, `MlasSgemmOperation`).
 *
 * - With wide b it is faster to transpose a once before: 256 rows of 784 by 512 took 2.7 ms in place of 2.9, 128 rows 1.35 in place of 1.5 (AVX2).
 * - With few columns it is faster as the transpose of b^T a, in which the small b is transposed in place of a: 256 rows of 512 by 10 took 45
 *   microseconds in place of 62, 12544 of 32 by 8 113 in place of 218 (Zen 4).
 */
import { transposedInMemory } from './linear.js';
import { rebuild } from './rebuild.js';
import { dim, sizeOf } from './shapes.js';
import type { Value } from './value.js';

/** Columns of b. */
const WIDE = 512;
/** Rows of a and b: with fewer the product has little work for each element that is transposed. */
const MANY = 128;

/** Columns of b, at most and at least: with a single one it is a product with a vector. */
const FEW = { most: 32, least: 2 };
/** Columns of a for each of b, which is transposed in its place. */
const LEAST_RATIO = 2;
/** Elements of a: fewer are transposed within the product as fast as the result is behind it. */
const LARGE = 1 << 14;

/** Replaces such products. */
export function arrangeGradientProducts(outputs: readonly Value[]): Value[] {
  return rebuild(outputs, new Map(), (value) => {
    const { op, inputs, attrs, shape } = value;
    if (op !== 'Gemm' || !attrs.transA || attrs.transB) return value;
    const [a, b] = inputs as [Value, Value];
    const columns = dim(shape, 1);
    if (columns >= WIDE && dim(a.shape, 0) >= MANY) return withTransposed(value, a);
    const isNarrow = columns >= FEW.least && columns <= FEW.most && dim(shape, 0) >= LEAST_RATIO * columns;
    return isNarrow && inputs.length === 2 && sizeOf(a.shape) >= LARGE ? asTranspose(value, b, a) : value;
  });
}

/** The product with a transposed before. */
function withTransposed({ graph, inputs, attrs, shape, dtype }: Value, a: Value): Value {
  return graph.node('Gemm', [transposedInMemory(a), ...inputs.slice(1)], { ...attrs, transA: 0 }, { shape, dtype });
}

/** The transpose of b^T a, in three axes: ONNX Runtime would put one of two back into the product (`GemmTransposeFusion`). */
function asTranspose({ graph, attrs, shape, dtype }: Value, b: Value, a: Value): Value {
  return transposedInMemory(graph.node('Gemm', [b, a], attrs, { shape: shape.toReversed(), dtype }));
}
