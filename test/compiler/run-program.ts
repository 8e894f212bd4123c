/** Runs a step program in onnxruntime-node and collects its outputs by meaning. */
import type * as tf from '@tensorflow/tfjs';
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import type {
  Combination,
  CopyStep,
  ProgramInput,
  RuntimeStep,
  StepProgram,
  TensorSpec,
} from '#shardfit/common/program.js';
import { sizeOf } from '#shardfit/common/shapes.js';
import { LoopRunner } from '#shardfit/worker/loop-runner.js';
import { addMoments } from '#shardfit/worker/totals.js';

export interface StepResult {
  logs: number[];
  /** By index in model.weights. */
  gradients: Map<number, Float32Array>;
  states: Map<number, Float32Array>;
}

export interface StepData {
  features: tf.Tensor[];
  targets: tf.Tensor[];
  /** By output. */
  sampleWeights?: tf.Tensor[];
  uniforms?: (input: ProgramInput) => Float32Array;
}

/** Per-row specs of tensors with a batch axis. */
export function specsOf(tensors: tf.Tensor[]): TensorSpec[] {
  return tensors.map((t) => ({ shape: t.shape.slice(1), dtype: t.dtype as TensorSpec['dtype'] }));
}

const SESSION: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
};

/** A program that does not depend on other shards. */
export async function runProgram(program: StepProgram, model: tf.LayersModel, data: StepData): Promise<StepResult> {
  expect(program.stages).toHaveLength(1);
  return runShards([program], model, [data]);
}

/** The programs of all shards of a mini-batch, side by side, each on its own rows: what they add up to. */
export async function runShards(programs: StepProgram[], model: tf.LayersModel, data: StepData[]): Promise<StepResult> {
  const shards = programs.map((program, shard) => {
    const feeds = program.inputs.map((input) => [input.name, feedOf(input, model, data[shard] as StepData)]);
    return new ShardRun(program, Object.fromEntries(feeds));
  });
  const first = programs[0] as StepProgram;
  for (let stage = 0; stage < first.stages.length; stage++) {
    for (const shard of shards) {
      expect(shard.program.exchanges, 'all shards must exchange the same').toEqual(first.exchanges);
      await shard.run(stage);
    }
    for (const { part, total, collective, shape } of first.exchanges.filter((e) => e.stage === stage)) {
      if (collective.kind !== 'all-reduce') throw new Error(`shards of rows have no ${collective.kind}`);
      const parts = shards.map(({ values }) => values[part]?.data as Float32Array);
      const reduced = parts.reduce((a, b) => combine(a, b, collective.reduction));
      for (const { values } of shards) values[total] = new ort.Tensor('float32', reduced, shape);
    }
  }
  return shards.map(({ values }) => resultOf(first, values)).reduce(addResults);
}

/** A program on the rows of one shard. */
export class ShardRun {
  readonly program: StepProgram;
  /** What is known, by name, but for what stands in the loops' memory. */
  readonly values: Record<string, ort.Tensor>;
  readonly #loops: LoopRunner | undefined;
  readonly #at: number;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  constructor(program: StepProgram, values: Record<string, ort.Tensor>) {
    this.program = program;
    this.values = values;
    this.#loops = program.loops && new LoopRunner(program.loops);
    this.#at = this.#loops?.reserve() ?? 0;
    this.#shapes = new Map([
      ...[...program.carried, ...program.outputs].map(({ name, shape }) => [name, shape] as const),
      ...program.exchanges.map(({ part, shape }) => [part, shape] as const),
    ]);
  }

  async run(stage: number): Promise<void> {
    for (const step of this.program.stages[stage] ?? []) {
      if ('loop' in step) this.#loops?.bind(step, this.#at)();
      else if ('copies' in step) this.#copy(step);
      else await this.#runOnnx(step);
    }
  }

  async #runOnnx({ onnx, inputs }: RuntimeStep): Promise<void> {
    const session = await ort.InferenceSession.create(onnx, SESSION);
    const results = await session.run(Object.fromEntries(inputs.map((name) => [name, this.#read(name)])));
    for (const [name, tensor] of Object.entries(results)) {
      const placed = this.#placed(name);
      if (placed) placed.set(tensor.data as Float32Array);
      else this.values[name] = tensor;
    }
    await session.release();
  }

  #copy({ copies }: CopyStep): void {
    for (const { from, to, at, length } of copies) {
      const shape = this.#shapes.get(to) as number[];
      this.values[to] ??= new ort.Tensor('float32', new Float32Array(sizeOf(shape)), shape);
      const target = this.#placed(to) ?? (this.values[to].data as Float32Array);
      if (typeof from === 'number') target.fill(from, at, at + length);
      else target.set((this.#read(from).data as Float32Array).subarray(0, length), at);
    }
  }

  #read(name: string): ort.Tensor {
    const placed = this.#placed(name);
    return placed
      ? new ort.Tensor('float32', placed.slice(), this.#shapes.get(name))
      : (this.values[name] as ort.Tensor);
  }

  #placed(name: string): Float32Array | undefined {
    return this.#loops?.floats(name, sizeOf(this.#shapes.get(name) ?? []), this.#at);
  }
}

function combine(a: Float32Array, b: Float32Array, reduction: Combination): Float32Array {
  if (reduction !== 'moments') return a.map((x, i) => COMBINE[reduction](x, b[i] as number));
  const total = a.slice();
  addMoments(total, b);
  return total;
}

const COMBINE = {
  sum: (a: number, b: number) => a + b,
  max: Math.max,
  min: Math.min,
  prod: (a: number, b: number) => a * b,
};

function resultOf(program: StepProgram, values: Record<string, ort.Tensor>): StepResult {
  const ends = [...program.outputs.map(({ name }) => name), ...program.exchanges.map(({ part }) => part)];
  expect(ends.filter((name) => !values[name])).toEqual([]);
  const result: StepResult = { logs: [], gradients: new Map(), states: new Map() };
  for (const { name, role } of program.outputs) {
    const data = values[name]?.data as Float32Array;
    if (role.kind === 'logs') result.logs = Array.from(data);
    else (role.kind === 'gradient' ? result.gradients : result.states).set(role.index, data);
  }
  return result;
}

function addResults(a: StepResult, b: StepResult): StepResult {
  const sum = (x: Map<number, Float32Array>, y: Map<number, Float32Array>) =>
    new Map([...x].map(([index, values]) => [index, values.map((v, i) => v + (y.get(index)?.[i] as number))]));
  return {
    logs: a.logs.map((v, i) => v + (b.logs[i] as number)),
    gradients: sum(a.gradients, b.gradients),
    states: sum(a.states, b.states),
  };
}

function feedOf(input: ProgramInput, model: tf.LayersModel, data: StepData): ort.Tensor {
  const { role } = input;
  switch (role.kind) {
    case 'weight':
      return tensorOf(input, (model.weights[role.index] as { read(): tf.Tensor }).read().dataSync());
    case 'feature':
      return tensorOf(input, (data.features[role.index] as tf.Tensor).dataSync());
    case 'target':
      return tensorOf(input, (data.targets[role.index] as tf.Tensor).dataSync());
    case 'sampleWeight':
      return tensorOf(input, ((data.sampleWeights ?? [])[role.index] as tf.Tensor).dataSync());
    case 'uniform':
      if (!data.uniforms) throw new Error(`program input '${input.name}' needs random numbers`);
      return tensorOf(input, data.uniforms(input));
    case 'shard':
      throw new Error('shards of rows have no number');
  }
}

function tensorOf(input: ProgramInput, data: ArrayLike<number>): ort.Tensor {
  if (input.dtype === 'int32') return new ort.Tensor('int32', Int32Array.from(data), input.shape);
  if (input.dtype === 'bool') return new ort.Tensor('bool', Uint8Array.from(data), input.shape);
  return new ort.Tensor('float32', Float32Array.from(data), input.shape);
}
