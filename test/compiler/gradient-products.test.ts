/** Gradients of dense layers' weights, a^T b, in the forms in which ONNX Runtime is fast at them. */
import { describe, expect, it } from 'vitest';
import { arrangeGradientProducts } from '#shardfit/compiler/graph/gradient-products.js';
import { gemm, gemmPlus } from '#shardfit/compiler/graph/linear.js';
import { fitToSizes } from '#shardfit/compiler/graph/lower.js';
import { Graph, topologicalOrder, type Value } from '#shardfit/compiler/graph/value.js';
import { relativeError, runGraph } from './convolution-case.js';
import { random } from './expect-step.js';

interface Product {
  rows: number;
  /** Of a and of b. */
  columns: [number, number];
  /** Whether something is added while it is computed. */
  isAdded?: boolean;
}

function build({ rows, columns: [m, n], isAdded = false }: Product): { given: Record<string, Value>; product: Value } {
  const graph = new Graph();
  const input = (name: string, shape: number[]) => graph.input(name, { shape, dtype: 'float32' });
  const [a, b, c] = [input('a', [rows, m]), input('b', [rows, n]), input('c', [m, n])];
  const product = gemm(a, b, true);
  return isAdded ? { given: { a, b, c }, product: gemmPlus(product, c) } : { given: { a, b }, product };
}

/** The shapes of a product's operands as they are in memory, and which of them it transposes. */
function formOf(value: Value) {
  const { inputs, attrs, shape } = topologicalOrder([value]).find(({ op }) => op === 'Gemm') as Value;
  return { sides: inputs.slice(0, 2).map((side) => side.shape), transA: Boolean(attrs.transA), shape };
}

type Form = ReturnType<typeof formOf>;

const WIDE: Product = { rows: 130, columns: [40, 520] };
const WIDE_FORM: Form = {
  sides: [
    [40, 130],
    [130, 520],
  ],
  transA: false,
  shape: [40, 520],
};
const NARROW: Product = { rows: 70, columns: [300, 10] };
const NARROW_FORM: Form = {
  sides: [
    [70, 10],
    [70, 300],
  ],
  transA: true,
  shape: [10, 300],
};

const ARRANGED: [string, Product, Form][] = [
  ['wide: a is transposed before', WIDE, WIDE_FORM],
  ['wide, with something added', { ...WIDE, isAdded: true }, WIDE_FORM],
  ['narrow: the transpose of b^T a', NARROW, NARROW_FORM],
];

const AS_THEY_ARE: [string, Product][] = [
  ['a single column', { rows: 70, columns: [300, 1] }],
  ['b as wide as half of a', { rows: 600, columns: [31, 16] }],
  ['many columns of b', { rows: 70, columns: [300, 33] }],
  ['few elements', { rows: 50, columns: [300, 10] }],
  ['narrow, with something added', { ...NARROW, isAdded: true }],
  ['wide, of few rows', { ...WIDE, rows: 100 }],
];

describe('a product a^T b', () => {
  it.each(ARRANGED)('%s', async (_, example, form) => {
    const { given, product } = build(example);
    const [arranged] = arrangeGradientProducts([product]) as [Value];
    expect(formOf(arranged)).toEqual(form);
    const feeds = Object.entries(given).map(([name, value], i) => [
      name,
      [value, random([...value.shape], i + 1).dataSync()],
    ]);
    const inputs = Object.fromEntries(feeds) as Record<string, [Value, Float32Array]>;
    const [actual, wanted] = [await runGraph(arranged, inputs), await runGraph(product, inputs)];
    expect(relativeError(actual, Float64Array.from(wanted))).toBeLessThan(1e-6);
  });

  it.each(AS_THEY_ARE)('stays as it is with %s', (_, example) => {
    const { product } = build(example);
    expect(arrangeGradientProducts([product])[0]).toBe(product);
  });

  it('is arranged in every program', () => {
    const [fitted] = fitToSizes([build(NARROW).product]) as [Value];
    expect(formOf(fitted)).toEqual(NARROW_FORM);
  });
});
