/** Graphs that nobody would write, computed by ONNX Runtime alone and with every loop that is possible. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { StepProgram } from '#shardfit/common/program.js';
import { binary, where } from '#shardfit/compiler/graph/elementwise.js';
import { cast, concat, expand, reshape, slice } from '#shardfit/compiler/graph/layout.js';
import { fitToSizes, forLoops, forRuntime } from '#shardfit/compiler/graph/lower.js';
import { reduce } from '#shardfit/compiler/graph/reduction.js';
import { Graph, topologicalOrder, type Value } from '#shardfit/compiler/graph/value.js';
import type { LoopChoice } from '#shardfit/compiler/loops/find-loops.js';
import { cutStages } from '#shardfit/compiler/partition/stages.js';
import { ShardRun } from '../run-program.js';

type Feeds = Record<string, Float32Array>;

function fitted(outputs: readonly Value[], loops?: LoopChoice): Value[] {
  const values = fitToSizes(outputs);
  return (loops && forLoops(values, loops)) ?? forRuntime(values);
}

/** The elements of each output. What shards exchange is what the only one has. */
async function compute(outputs: readonly Value[], feeds: Feeds, loops?: LoopChoice) {
  const named = fitted(outputs, loops).map((value, i) => ({ name: `out${i}`, value }));
  const order = topologicalOrder(named.map(({ value }) => value));
  const inputs = order.filter(({ op }) => op === 'Input').map((value) => ({ name: value.attrs.name as string, value }));
  const staged = cutStages(inputs, named, loops);
  if (!staged) throw new Error('all loops are worth it');
  const values = inputs.map(({ name, value }) => [name, new ort.Tensor('float32', feeds[name] as never, value.shape)]);
  const described = named.map(({ name, value }) => ({ name, shape: value.shape }));
  const program = { ...staged, inputs: [], outputs: described } as unknown as StepProgram;
  const shard = new ShardRun(program, Object.fromEntries(values));
  for (let stage = 0; stage < staged.stages.length; stage++) {
    await shard.run(stage);
    for (const exchange of staged.exchanges) {
      if (exchange.stage === stage) shard.values[exchange.total] = shard.values[exchange.part] as ort.Tensor;
    }
  }
  const results = named.map(({ name }) => shard.values[name]?.data as Float32Array | undefined);
  return { results, hasLoops: staged.loops !== undefined };
}

const SHAPES = [[8, 4, 8], [32, 8], [8, 1, 8], [8], [1, 8], [8, 4, 1], [4, 8], [256]];

/** Numbers from 0 to 1, the same for the same seed (a linear congruential generator, Numerical Recipes, 2nd edition, section 7.1). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomGraph(seed: number): { outputs: Value[]; feeds: Feeds } {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const graph = new Graph();
  const feeds: Feeds = {};
  const values: Value[] = [0, 1, 2].map((i) => {
    const shape = pick(SHAPES);
    const size = shape.reduce((a, b) => a * b, 1);
    feeds[`x${i}`] = Float32Array.from({ length: size }, () => random() * 2 - 1);
    return graph.input(`x${i}`, { shape, dtype: 'float32' });
  });
  const masks: Value[] = [];
  const make: ((x: Value) => Value | undefined)[] = [
    (x) => binary(pick(['Add', 'Sub', 'Mul', 'Max', 'Min']), x, pick(values)),
    (x) => graph.node(pick(['Relu', 'Abs', 'Neg', 'Tanh']), [x], {}, { shape: x.shape, dtype: 'float32' }),
    (x) => reduce('ReduceSum', x, pick([[0], [0, 1], [x.shape.length - 1]]), random() < 0.5),
    (x) => reshape(x, pick(SHAPES)),
    (x) => expand(x, pick(SHAPES)),
    (x) => {
      const [rows = 0, ...rest] = x.shape;
      return rows >= 8 ? slice(x, [rows - 4, ...rest.map(() => 0)], [4, ...rest]) : undefined;
    },
    (x) => concat([x, pick(values)], 0),
    (x) => {
      masks.push(binary(pick(['Greater', 'Less']), x, pick(values)));
      return undefined;
    },
    (x) => where(pick(masks), x, pick(values)),
    () => cast(pick(masks), 'float32'),
    (x) =>
      graph.node('AllReduce', [x], { index: values.length, reduction: 'sum' }, { shape: x.shape, dtype: 'float32' }),
  ];
  for (let i = 0; i < 24; i++) {
    try {
      const made = pick(make)(pick(values));
      if (made) values.push(made);
    } catch {
      // Shapes that do not fit: another operation.
    }
  }
  const outputs = [values.at(-1), values.at(-2), pick(values)] as Value[];
  return { outputs: outputs.filter(({ op }) => op !== 'Input' && op !== 'Constant'), feeds };
}

describe('with loops', () => {
  it('random graphs give what they give without', async () => {
    let withLoops = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const { outputs, feeds } = randomGraph(seed);
      if (outputs.length === 0) continue;
      const plain = await compute(outputs, feeds).catch(() => undefined);
      // What ONNX Runtime does not take, such as joined tensors that do not fit.
      if (!plain) continue;
      const { results, hasLoops } = await compute(outputs, feeds, 'all');
      if (hasLoops) withLoops++;
      for (const [i, expected] of plain.results.entries()) {
        const scale = Math.max(1e-3, ...Array.from(expected ?? [], Math.abs));
        const found = Array.from(results[i] ?? [], (x, j) => Math.abs(x - (expected?.[j] as number)) / scale);
        expect(found, `seed ${seed}, output ${i}`).toHaveLength(expected?.length as number);
        expect(Math.max(...found), `seed ${seed}, output ${i}`).toBeLessThan(1e-5);
      }
    }
    expect(withLoops).toBeGreaterThan(200);
  });

  it('numbers that look alike as text stay what they are', async () => {
    const graph = new Graph();
    const x = graph.input('x', { shape: [16], dtype: 'float32' });
    const feeds = { x: Float32Array.from({ length: 16 }, (_, i) => i - 8) };
    const of = (bound: number) => where(binary('Less', x, graph.splat(0, [])), x, graph.splat(bound, []));
    const scaled = (zero: number) => binary('Mul', graph.node('Abs', [x], {}, x), graph.splat(zero, [16]));
    const outputs = [of(Number.POSITIVE_INFINITY), of(Number.NEGATIVE_INFINITY), scaled(0), scaled(-0)];
    const { results, hasLoops } = await compute(outputs, feeds, 'all');
    expect(hasLoops).toBe(true);
    expect(results.map((values) => values?.at(-1))).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      -0,
    ]);
  });

  it('more operations than one function can have parameters are several loops', async () => {
    const graph = new Graph();
    const inputs = Array.from({ length: 510 }, (_, i) => graph.input(`x${i}`, { shape: [16], dtype: 'float32' }));
    const feeds = Object.fromEntries(inputs.map((_, i) => [`x${i}`, new Float32Array(16).fill(-i)]));
    const outputs = inputs.map((x) => graph.node('Abs', [x], {}, x));
    const { results } = await compute(outputs, feeds, 'all');
    expect(results.map((values) => values?.at(-1))).toEqual(inputs.map((_, i) => i));
  });
});
