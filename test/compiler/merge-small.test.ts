/** Operations on few numbers that become fewer, and what they compute. */
import * as tf from '@tensorflow/tfjs';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { mergeSmall } from '#shardfit/compiler/graph/merge-small.js';
import { Graph, topologicalOrder, type Value } from '#shardfit/compiler/graph/value.js';
import { encodeModel } from '#shardfit/compiler/onnx/encode.js';
import { expectTrainingStep, oneHotRows } from './expect-step.js';

beforeAll(() => tf.setBackend('cpu'));

const FLOAT = 'float32';
/** Some within the bounds that they are clipped to, some not; the last one is replaced by no number at all. */
const P = Float32Array.of(0.5, 0, 1e-9, 1, 0.25, 0.125);
const WITH_NAN = P.map((value, i) => (i === 5 ? Number.NaN : value));

/** What the graph that `build` makes of a [2, 3] input computes, as it is and merged, and the operators of the latter. */
async function merged(build: (x: Value) => Value, values = P) {
  const graph = new Graph();
  const x = graph.input('x', { shape: [2, 3], dtype: FLOAT });
  const before = build(x);
  const [after] = mergeSmall([before]) as [Value];
  expect(after.shape).toEqual(before.shape);
  const [expected, actual] = [await compute(x, before, values), await compute(x, after, values)];
  expect(actual).toHaveLength(expected.length);
  return { expected, actual, operators: operatorsOf(after) };
}

async function compute(x: Value, y: Value, values: Float32Array): Promise<number[]> {
  const onnx = encodeModel([{ name: 'x', value: x }], [{ name: 'y', value: y }]);
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const { y: result } = await session.run({ x: new ort.Tensor(FLOAT, values, [2, 3]) });
    return [...(result?.data as Float32Array)];
  } finally {
    await session.release();
  }
}

function operatorsOf(value: Value): string[] {
  return topologicalOrder([value])
    .map(({ op }) => op)
    .filter((op) => op !== 'Input' && op !== 'Constant');
}

function node(op: string, inputs: Value[], attrs: Value['attrs'] = {}, shape = inputs[0]?.shape ?? [], dtype = FLOAT) {
  return (inputs[0] as Value).graph.node(op, inputs, attrs, { shape, dtype: dtype as Value['dtype'] });
}

const splat = (x: Value, value: number) => x.graph.splat(value, []);

describe('a quotient by what is clipped, times where it is not', () => {
  const quotient = (low: number) => (x: Value) => {
    const clipped = node('Clip', [x, splat(x, low), splat(x, 0.75)]);
    const mask = node('Cast', [node('Equal', [x, clipped], {}, x.shape, 'bool')], { to: FLOAT });
    const share = node('Div', [node('Mul', [splat(x, 3), x], {}, x.shape), clipped]);
    return node('Mul', [x, node('Mul', [share, mask])]);
  };

  it('is no quotient any more where the bound is positive', async () => {
    const { expected, actual, operators } = await merged(quotient(1e-7), WITH_NAN);
    expect(operators).not.toContain('Div');
    // What is no number stays none by the factor that follows it in the gradient of a softmax.
    expect(actual.slice(0, 5)).toEqual(expected.slice(0, 5));
  });

  it('stays one where it may be by 0', async () => {
    const { expected, actual, operators } = await merged(quotient(0), WITH_NAN);
    expect(operators).toContain('Div');
    expect(actual).toEqual(expected);
  });
});

describe('sums', () => {
  const sum = (x: Value, axis: number) =>
    node(
      'ReduceSum',
      [x],
      { axes: [axis], keepdims: 0 },
      x.shape.filter((_, i) => i !== axis),
    );

  it('of sums are one, and its sign and shape those of a factor', async () => {
    const { expected, actual, operators } = await merged((x) => {
      const total = node('Reshape', [sum(sum(x, 0), 0)], { shape: [1] }, [1]);
      const scaled = node('Mul', [node('Neg', [total]), splat(x, 0.5)]);
      return node('Reshape', [node('Reshape', [scaled], { shape: [] }, [])], { shape: [1, 1] }, [1, 1]);
    });
    expect(operators).toEqual(['ReduceSum', 'Mul']);
    expect(actual[0]).toBeCloseTo(expected[0] as number, 5);
  });

  it('keep their axes where those are put back', async () => {
    const { expected, actual, operators } = await merged((x) => {
      return node('Reshape', [sum(x, 1)], { shape: [2, 1] }, [2, 1]);
    });
    expect(operators).toEqual(['ReduceSum']);
    expect(actual).toEqual(expected);
  });

  it('that somebody else needs, too, stay', async () => {
    const { operators } = await merged((x) => {
      const rows = sum(x, 1);
      return node('Mul', [rows, sum(rows, 0)], {}, [2]);
    });
    expect(operators.filter((op) => op === 'ReduceSum')).toHaveLength(2);
  });
});

it('gradients of probabilities that are clipped are those of tfjs', async () => {
  const model = tf.sequential({
    layers: [tf.layers.dense({ inputShape: [1], units: 3, activation: 'softmax', weights: [row([0, 1, -1]), bias()] })],
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  // From all alike to 0 and 1 up to rounding.
  const x = tf.tensor2d([0, 0.5, -2, 30, -30, 100, 9, 15], [8, 1]);
  await expectTrainingStep(model, [x], [oneHotRows(8, 3)]);
});

const row = (values: number[]) => tf.tensor2d([values]);
const bias = () => tf.tensor1d([0, 0, 0]);
