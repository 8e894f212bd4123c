/** Matrix products. */
import { asTransposed, reshape, unexpanded } from './layout.js';
import { broadcast, dim } from './shapes.js';
import type { Value } from './value.js';

/** op(a) op(b) of matrices; transposes become flags of Gemm, which costs nothing. */
export function gemm(a: Value, b: Value, transA = false, transB = false): Value {
  const [ta, tb] = [asTransposed(a), asTransposed(b)];
  if (ta) return gemm(ta.inner, b, !transA, transB);
  if (tb) return gemm(a, tb.inner, transA, !transB);
  const [m, k] = transA ? [dim(a.shape, 1), dim(a.shape, 0)] : [dim(a.shape, 0), dim(a.shape, 1)];
  const [k2, n] = transB ? [dim(b.shape, 1), dim(b.shape, 0)] : [dim(b.shape, 0), dim(b.shape, 1)];
  if (k !== k2)
    throw new RangeError(`matrix product of [${a.shape}] and [${b.shape}]: inner sizes ${k} and ${k2} differ`);
  const attrs = { transA: Number(transA), transB: Number(transB) };
  return a.graph.node('Gemm', [a, b], attrs, { shape: [m, n], dtype: a.dtype });
}

/** A matrix transposed, as a transpose of three axes: ONNX Runtime puts one of two back into a product that makes or reads it. */
export function transposedInMemory(x: Value): Value {
  const [rows, columns] = x.shape as [number, number];
  const { graph, dtype } = x;
  const attrs = { perm: [1, 0, 2] };
  const source = reshape(x, [rows, columns, 1]);
  return reshape(graph.node('Transpose', [source], attrs, { shape: [columns, rows, 1], dtype }), [columns, rows]);
}

/** A product to which numbers of its shape, or such that broadcast to it, are added while it is computed. */
export function gemmPlus({ graph, inputs, attrs, shape, dtype }: Value, added: Value): Value {
  return graph.node('Gemm', [...inputs, added], attrs, { shape, dtype });
}

/** Matrix product over the last two axes, the leading ones broadcast, as tfjs' BatchMatMul. */
export function batchMatMul(a: Value, b: Value, transA = false, transB = false): Value {
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = broadcast(batchA, batchB);
  const m = dim(a.shape, transA ? -1 : -2);
  const n = dim(b.shape, transB ? -2 : -1);
  const count = batch.reduce((p, d) => p * d, 1);
  if (count === 1) {
    return reshape(gemm(reshape(a, a.shape.slice(-2)), reshape(b, b.shape.slice(-2)), transA, transB), [
      ...batch,
      m,
      n,
    ]);
  }
  // [B, m, k] x [k, n] with one shared right matrix is a single tall product.
  if (batchB.every((d) => d === 1) && !transA) {
    const tall = reshape(a, [count * m, dim(a.shape, -1)]);
    return reshape(gemm(tall, reshape(b, b.shape.slice(-2)), false, transB), [...batch, m, n]);
  }
  const attrs = { transA: Number(transA), transB: Number(transB) };
  const inputs = [unexpandedUnlessBatch(a), unexpandedUnlessBatch(b)];
  return a.graph.node('FusedMatMul', inputs, attrs, { shape: [...batch, m, n], dtype: a.dtype });
}

function unexpandedUnlessBatch(x: Value): Value {
  const inner = unexpanded(x);
  const sameMatrix =
    inner.shape.length >= 2 && dim(inner.shape, -1) === dim(x.shape, -1) && dim(inner.shape, -2) === dim(x.shape, -2);
  return sameMatrix ? inner : x;
}
