/** Runs a step program in onnxruntime-node and collects its outputs by meaning. */
import type * as tf from '@tensorflow/tfjs';
import * as ort from 'onnxruntime-node';
import type { ProgramInput, StepProgram, TensorSpec } from '#shardfit/common/program.js';

export interface StepResult {
  logs: number[];
  /** By index in model.weights. */
  gradients: Map<number, Float32Array>;
  states: Map<number, Float32Array>;
}

export interface StepData {
  features: tf.Tensor[];
  targets: tf.Tensor[];
  shardWeight: number;
  /** By output. */
  sampleWeights?: tf.Tensor[];
  uniforms?: (input: ProgramInput) => Float32Array;
}

/** Per-row specs of tensors with a batch axis. */
export function specsOf(tensors: tf.Tensor[]): TensorSpec[] {
  return tensors.map((t) => ({ shape: t.shape.slice(1), dtype: t.dtype as TensorSpec['dtype'] }));
}

export async function openSession(program: StepProgram): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(program.onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
}

export async function runProgram(program: StepProgram, model: tf.LayersModel, data: StepData): Promise<StepResult> {
  const session = await openSession(program);
  try {
    const feeds: Record<string, ort.Tensor> = {};
    for (const input of program.inputs) feeds[input.name] = feedOf(input, model, data);
    const results = await session.run(feeds);
    const result: StepResult = { logs: [], gradients: new Map(), states: new Map() };
    for (const { name, role } of program.outputs) {
      const values = (results[name] as ort.Tensor).data as Float32Array;
      if (role.kind === 'logs') result.logs = Array.from(values);
      else (role.kind === 'gradient' ? result.gradients : result.states).set(role.index, values);
    }
    return result;
  } finally {
    await session.release();
  }
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
    case 'shardWeight':
      return tensorOf(input, Float32Array.of(data.shardWeight));
    case 'uniform':
      if (!data.uniforms) throw new Error(`program input '${input.name}' needs random numbers`);
      return tensorOf(input, data.uniforms(input));
  }
}

function tensorOf(input: ProgramInput, data: ArrayLike<number>): ort.Tensor {
  if (input.dtype === 'int32') return new ort.Tensor('int32', Int32Array.from(data), input.shape);
  if (input.dtype === 'bool') return new ort.Tensor('bool', Uint8Array.from(data), input.shape);
  return new ort.Tensor('float32', Float32Array.from(data), input.shape);
}
