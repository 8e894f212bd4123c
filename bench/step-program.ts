/**
 * Times compiled training steps alone: one session, one thread, no gathering, reducing or optimizer.
 * Run: npx tsx bench/step-program.ts [name part] [--profile]
 */
import * as tf from '@tensorflow/tfjs';
import * as ort from 'onnxruntime-node';
import type { StepProgram, TensorSpec } from '../src/common/program.js';
import { compileTrainingStep } from '../src/compiler/index.js';

interface Case {
  name: string;
  rows: number;
  model(): tf.LayersModel;
}

const dense = (units: number, activation?: 'relu' | 'softmax', inputShape?: number[]) =>
  tf.layers.dense({ units, ...(activation && { activation }), ...(inputShape && { inputShape }) });

function mlp(sizes: number[]): tf.LayersModel {
  const [inputs, ...units] = sizes as [number, ...number[]];
  const model = tf.sequential();
  units.forEach((n, i) => {
    model.add(dense(n, i === units.length - 1 ? 'softmax' : 'relu', i === 0 ? [inputs] : undefined));
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

function regression(): tf.LayersModel {
  const model = tf.sequential({ layers: [dense(20, 'relu', [10]), dense(1)] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

function cnn(): tf.LayersModel {
  const conv = (filters: number, inputShape?: number[]) =>
    tf.layers.conv2d({ filters, kernelSize: 3, activation: 'relu', ...(inputShape && { inputShape }) });
  const pool = () => tf.layers.maxPooling2d({ poolSize: 2 });
  const model = tf.sequential({
    layers: [
      conv(32, [28, 28, 1]),
      pool(),
      conv(64),
      pool(),
      tf.layers.flatten(),
      dense(128, 'relu'),
      dense(10, 'softmax'),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const CASES: Case[] = [
  { name: 'regression 10-20-1 (20)', rows: 20, model: regression },
  { name: 'mlp 784-128-10 (128)', rows: 128, model: () => mlp([784, 128, 10]) },
  { name: 'mlp 784-512-512-10 (128)', rows: 128, model: () => mlp([784, 512, 512, 10]) },
  { name: 'mlp 784-512-512-10 (512)', rows: 512, model: () => mlp([784, 512, 512, 10]) },
  { name: 'cnn 32-64-128-10 (128)', rows: 128, model: cnn },
  { name: 'cnn 32-64-128-10 (64)', rows: 64, model: cnn },
];

function perRow(shape: (number | null)[]): TensorSpec {
  return { shape: shape.slice(1) as number[], dtype: 'float32' };
}

function randomFeeds(program: StepProgram, model: tf.LayersModel): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name, role, shape } of program.inputs) {
    const size = shape.reduce((n, d) => n * d, 1);
    const data = Float32Array.from({ length: size }, () => Math.random() - (role.kind === 'feature' ? 0.5 : 0));
    if (role.kind === 'weight')
      data.set((model.weights[role.index] as unknown as { read(): tf.Tensor }).read().dataSync());
    feeds[name] = new ort.Tensor('float32', data, shape);
  }
  return feeds;
}

/** Milliseconds of one step: the median of rounds and the best. */
async function time(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
): Promise<{ median: number; best: number }> {
  const times: number[] = [];
  const until = performance.now() + 3000;
  while (performance.now() < until || times.length < 20) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  times.splice(0, 5);
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1] as number, best: times[0] as number };
}

const [filter = ''] = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const profile = process.argv.includes('--profile');
for (const { name, rows, model: build } of CASES.filter((c) => c.name.includes(filter))) {
  const model = build();
  const started = performance.now();
  const program = compileTrainingStep(
    model,
    rows,
    model.inputs.map((t) => perRow(t.shape)),
    model.outputs.map((t) => perRow(t.shape)),
  );
  const compiled = performance.now() - started;
  const onnx = program.stages[0]?.onnx as Uint8Array;
  const session = await ort.InferenceSession.create(onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableProfiling: profile,
    profileFilePrefix: '/tmp/shardfit-step',
    logSeverityLevel: 3,
  });
  const { median, best } = await time(session, randomFeeds(program, model));
  console.log(
    `${name.padEnd(28)} median ${median.toFixed(3)} ms  best ${best.toFixed(3)} ms  ` +
      `compile ${compiled.toFixed(0)} ms  onnx ${(onnx.length / 1024).toFixed(0)} KiB`,
  );
  if (profile) session.endProfiling();
  await session.release();
}
