/**
 * What exact batch statistics cost, and what loops save (see docs/architecture.md, "Large passes"): a residual CNN with batch norm, its shards meeting for every mean and variance, against
 * shards that normalize by themselves. Run: npm run bench:batch-statistics
 */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, fit, type RunSummary } from 'shardfit';
import { median } from '../src/bench/statistics.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const ROWS = 1024;
const BATCH = 64;

/** A convolution, three residual blocks (16, 32, 32 filters) and a dense layer, on 28 x 28 images: seven batch norms. */
function residualCnn(): tf.LayersModel {
  const image = tf.input({ shape: [28, 28, 1] });
  let x = relu(convolution(image, 16, 1));
  for (const [filters, strides] of [
    [16, 1],
    [32, 2],
    [32, 1],
  ] as const) {
    const inner = convolution(relu(convolution(x, filters, strides)), filters, 1);
    const sameShape = strides === 1 && x.shape[3] === filters;
    const skip = sameShape ? x : (conv(filters, 1, strides).apply(x) as tf.SymbolicTensor);
    x = relu(tf.layers.add().apply([skip, inner]) as tf.SymbolicTensor);
  }
  const pooled = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(x);
  const outputs = tf.layers.dense({ units: 10, activation: 'softmax' }).apply(pooled) as tf.SymbolicTensor;
  const model = tf.model({ inputs: image, outputs });
  model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const conv = (filters: number, kernelSize: number, strides: number) =>
  tf.layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false });

function convolution(x: tf.SymbolicTensor, filters: number, strides: number): tf.SymbolicTensor {
  return tf.layers.batchNormalization().apply(conv(filters, 3, strides).apply(x)) as tf.SymbolicTensor;
}

function relu(x: tf.SymbolicTensor): tf.SymbolicTensor {
  return tf.layers.reLU().apply(x) as tf.SymbolicTensor;
}

const CONTENDERS: [string, FitOptions][] = [
  ['1 worker, 1 shard', { workers: 1 }],
  ["1 worker, 2 shards, 'shard'", { workers: 1, shards: 2, batchStatistics: 'shard' }],
  ["1 worker, 2 shards, 'batch'", { workers: 1, shards: 2 }],
  ["2 workers, 'shard'", { workers: 2, batchStatistics: 'shard' }],
  ["2 workers, 'batch'", { workers: 2 }],
  ["2 workers, 'batch', ONNX Runtime alone", { workers: 2, engine: 'onnx' }],
];

/** Share of the threads' time that went into exchanges, the wait for the other thread included, and into waiting elsewhere. */
function shares({ threads }: RunSummary): { exchange: number; wait: number } {
  const sum = (part: 'exchangeSeconds' | 'waitSeconds') => threads.reduce((total, thread) => total + thread[part], 0);
  const all = threads.reduce(
    (total, t) => total + t.gatherSeconds + t.computeSeconds + t.waitSeconds + t.exchangeSeconds + t.reduceSeconds,
    0,
  );
  return { exchange: sum('exchangeSeconds') / all, wait: sum('waitSeconds') / all };
}

await tf.setBackend('cpu');
tf.enableProdMode();
const x = tf.randomUniform([ROWS, 28, 28, 1], 0, 1, 'float32', 1);
const y = tf.oneHot(tf.randomUniform([ROWS], 0, 10, 'int32', 2), 10).toFloat();
const runs = new Map<string, RunSummary[]>(CONTENDERS.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, options] of CONTENDERS) {
    const model = residualCnn();
    const { run } = await fit(model, x, y, { batchSize: BATCH, epochs: 1, shuffle: false, ...options });
    runs.get(name)?.push(run);
    model.dispose();
  }
}
console.log(`residual CNN, batch ${BATCH}, medians of ${ROUNDS} alternating rounds (Node ${process.version})`);
console.log(`${' '.repeat(41)} ms/update   exchange       wait`);
for (const [name, list] of runs) {
  const of = (f: (run: RunSummary) => number) => median(list.map(f));
  const percent = (part: 'exchange' | 'wait') => `${(100 * of((run) => shares(run)[part])).toFixed(1)} %`.padStart(10);
  const step = of((run) => (1000 * run.seconds) / run.updates);
  console.log(`${name.padEnd(41)} ${step.toFixed(2).padStart(9)} ${percent('exchange')} ${percent('wait')}`);
}
