/** A compiled training step alone, in one session on one thread: no gathering, no reducing, no optimizer. */
import * as tf from '@tensorflow/tfjs';
import * as ort from 'onnxruntime-node';
import { median } from '../src/bench/statistics.js';
import type { Workload } from '../src/bench/workloads/index.js';
import type { RuntimeStep, StepProgram, TensorSpec } from '../src/common/program.js';
import { StepCompiler, traceTraining } from '../src/compiler/index.js';

export interface ProgramTime {
  /** Milliseconds of a run. */
  median: number;
  best: number;
  compileMilliseconds: number;
  bytes: number;
}

/**
 * Times the step program of a workload for `rows` rows, for about `milliseconds`.
 *
 * @param profile prefix of the file to which ONNX Runtime writes what each operator took
 */
export async function timeProgram(
  workload: Workload,
  rows: number,
  milliseconds: number,
  profile?: string,
): Promise<ProgramTime> {
  await tf.setBackend('cpu');
  const model = workload.build();
  const started = performance.now();
  const perRow = ({ shape }: tf.SymbolicTensor): TensorSpec => ({
    shape: shape.slice(1) as number[],
    dtype: 'float32',
  });
  const data = { features: model.inputs.map(perRow), targets: model.outputs.map(perRow), sampleWeights: [] };
  const program = new StepCompiler(traceTraining, model, data, { transposed: 'auto' }).compile(rows);
  const compileMilliseconds = performance.now() - started;
  // Without loops and other shards it is all in one.
  const { onnx } = program.stages.flat()[0] as RuntimeStep;
  const session = await ort.InferenceSession.create(onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(profile && { enableProfiling: true, profileFilePrefix: profile }),
  });
  const times = await time(session, feedsOf(program, model), milliseconds);
  if (profile) session.endProfiling();
  await session.release();
  return { median: median(times), best: Math.min(...times), compileMilliseconds, bytes: onnx.length };
}

function feedsOf(program: StepProgram, model: tf.LayersModel): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name, role, shape } of program.inputs) {
    const size = shape.reduce((n, d) => n * d, 1);
    const data = Float32Array.from({ length: size }, () => Math.random());
    if (role.kind === 'weight') data.set(model.weights[role.index]?.read().dataSync() as Float32Array);
    feeds[name] = new ort.Tensor('float32', data, shape);
  }
  return feeds;
}

async function time(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  milliseconds: number,
): Promise<number[]> {
  const times: number[] = [];
  await session.run(feeds);
  for (const end = performance.now() + milliseconds; performance.now() < end || times.length < 5; ) {
    const started = performance.now();
    await session.run(feeds);
    times.push(performance.now() - started);
  }
  return times;
}
