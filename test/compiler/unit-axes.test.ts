/** Axes of size 1, with which ONNX Runtime is slow: operators do without, and compute the same. */
import { describe, expect, it } from 'vitest';
import { cast } from '#shardfit/compiler/graph/layout.js';
import { fitToSizes } from '#shardfit/compiler/graph/lower.js';
import { dropUnitAxes } from '#shardfit/compiler/graph/unit-axes.js';
import { type Attrs, Graph, topologicalOrder, type Value } from '#shardfit/compiler/graph/value.js';
import { relativeError, runGraph } from './convolution-case.js';
import { random } from './expect-step.js';

const F32 = 'float32';

interface Example {
  op: string;
  /** Shapes of the inputs. */
  inputs: number[][];
  attrs?: Attrs;
  shape: number[];
  dtype?: 'float32' | 'bool';
  /** Shapes of the inputs of the operator that takes its place. */
  fewer: number[][];
}

const EXAMPLES: [string, Example][] = [
  [
    'a sum in front of such an axis',
    { op: 'ReduceSum', inputs: [[6, 5, 1]], attrs: { axes: [1], keepdims: 0 }, shape: [6, 1], fewer: [[6, 5]] },
  ],
  [
    'a maximum behind one',
    { op: 'ReduceMax', inputs: [[1, 6, 5]], attrs: { axes: [1], keepdims: 0 }, shape: [1, 5], fewer: [[6, 5]] },
  ],
  [
    'a product along one and others',
    {
      op: 'ReduceProd',
      inputs: [[4, 1, 3, 1, 2]],
      attrs: { axes: [1, 2, 4], keepdims: 0 },
      shape: [4, 1],
      fewer: [[4, 3, 2]],
    },
  ],
  [
    'a sum that leaves a number',
    { op: 'ReduceSum', inputs: [[7, 1]], attrs: { axes: [0, 1], keepdims: 0 }, shape: [], fewer: [[7]] },
  ],
  ['a column times a number', { op: 'Mul', inputs: [[6, 5, 1], []], shape: [6, 5, 1], fewer: [[6, 5], []] }],
  [
    'columns that are compared with a number',
    { op: 'Greater', inputs: [[6, 5, 1], [1]], shape: [6, 5, 1], dtype: 'bool', fewer: [[6, 5], []] },
  ],
  [
    'the largest of a number and columns of fewer axes',
    {
      op: 'Max',
      inputs: [
        [1, 1],
        [4, 3, 1, 1],
        [3, 1, 1],
      ],
      shape: [4, 3, 1, 1],
      fewer: [[], [4, 3], [3]],
    },
  ],
];

function build({ op, inputs, attrs = {}, shape, dtype = F32 }: Omit<Example, 'fewer'>): {
  given: Value[];
  result: Value;
} {
  const graph = new Graph();
  const given = inputs.map((size, i) => graph.input(`x${i}`, { shape: size, dtype: F32 }));
  return { given, result: graph.node(op, given, attrs, { shape, dtype }) };
}

function asFloats(value: Value): Value {
  return value.dtype === F32 ? value : cast(value, F32);
}

describe('operators do without axes of size 1', () => {
  it.each(EXAMPLES)('%s', async (_, example) => {
    const { given, result } = build(example);
    const [without] = dropUnitAxes([result]) as [Value];
    const node = topologicalOrder([without]).find(({ op }) => op === example.op) as Value;
    expect(node.inputs.map(({ shape }) => shape)).toEqual(example.fewer);
    expect(without.shape).toEqual(example.shape);
    expect(without.dtype).toBe(result.dtype);
    const feeds = given.map((value, i) => [
      `x${i}`,
      [value, random(value.shape.length ? [...value.shape] : [1], i + 1).dataSync() as Float32Array],
    ]);
    const inputs = Object.fromEntries(feeds) as Record<string, [Value, Float32Array]>;
    const [actual, wanted] = [await runGraph(asFloats(without), inputs), await runGraph(asFloats(result), inputs)];
    // Sums may be added up in another order.
    expect(relativeError(actual, Float64Array.from(wanted))).toBeLessThan(1e-6);
  });

  it('a sum over an axis of size 1 alone is a reshape', () => {
    const { result } = build({
      op: 'ReduceSum',
      inputs: [[1, 5]],
      attrs: { axes: [0], keepdims: 0 },
      shape: [5],
    });
    const [without] = dropUnitAxes([result]) as [Value];
    expect(topologicalOrder([without]).map(({ op }) => op)).toEqual(['Input', 'Reshape']);
    expect(without.shape).toEqual([5]);
  });

  it.each<[string, Omit<Example, 'fewer'>]>([
    ['values that have none', { op: 'ReduceSum', inputs: [[6, 5]], attrs: { axes: [1], keepdims: 0 }, shape: [6] }],
    [
      'columns alone',
      {
        op: 'Mul',
        inputs: [
          [6, 1],
          [6, 1],
        ],
        shape: [6, 1],
      },
    ],
    ['numbers', { op: 'Mul', inputs: [[1, 1], []], shape: [1, 1] }],
    ['rows and a number', { op: 'Mul', inputs: [[1, 6], []], shape: [1, 6] }],
  ])('%s stay as they are', (_, example) => {
    const { result } = build(example);
    expect(dropUnitAxes([result])[0]).toBe(result);
  });

  it('so does every program', () => {
    const { result } = build({
      op: 'ReduceSum',
      inputs: [[6, 5, 1]],
      attrs: { axes: [1], keepdims: 0 },
      shape: [6, 1],
    });
    const [fitted] = fitToSizes([result]) as [Value];
    const sum = topologicalOrder([fitted]).find(({ op }) => op === 'ReduceSum') as Value;
    expect(sum.inputs[0]?.shape).toEqual([6, 5]);
  });
});
