import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { fit } from '../../coordinator/fit.js';
import type { FitOptions } from '../../coordinator/options.js';
import type { BatchSizeRun, ExplainedRun, Explanation, ThreadsRun } from './explanation.js';
import { gradientNoise } from './gradient-noise.js';
import {
  loadQuestion,
  OPTIMIZER,
  type QuestionData,
  questionNetwork,
  SETTINGS,
  VALIDATION_SPLIT,
  widthsOf,
} from './question.js';

export interface ExplainOptions {
  /** Rows of a mini-batch. Default 20. */
  batchSize?: number;
  /** Threads that are compared with one. Default 4. */
  workers?: number;
  /** Default 20. */
  epochs?: number;
  /** Fixes initial weights and the order of rows. Default 0. */
  seed?: number;
  signal?: AbortSignal;
  /** Told what is about to be trained. */
  onStage?: (stage: string) => void;
}

/** A training and the weights it led to. */
interface Trained extends ExplainedRun {
  weights: Float32Array;
}

/**
 * Answers "does `batch_size` mean that many threads update the weights in parallel?" by running it: trains the question's
 * network with one thread and with several, by one update for each mini-batch and by one for each shard, and by single
 * rows, mini-batches and all rows at once. Every number of the answer is counted or measured on the way.
 *
 * @throws RangeError or TypeError for options that `fit` would not take; the signal's reason if it ends the work.
 */
export async function explain(options: ExplainOptions = {}): Promise<Explanation> {
  const { batchSize = 20, workers = 4, epochs = 20, seed = 0 } = options;
  const started = performance.now();
  using data = await loadQuestion();
  if (batchSize > data.rows) throw new RangeError(`batchSize must be at most ${data.rows}, the rows, got ${batchSize}`);
  if (workers < 2) throw new RangeError(`workers must be at least 2, to be compared with 1, got ${workers}`);
  const runner = new Runner(data, { epochs, seed, shards: workers }, options);
  const compared = await compareThreads(runner, batchSize, workers);
  const batchSizes = await compareBatchSizes(runner, data, batchSize, seed);
  const unscaled = await runner.train('the target left as it was measured', { batchSize, workers }, data.measured);
  return {
    data: pick(data),
    target: { mean: data.mean, deviation: data.deviation },
    network: widthsOf(data.features),
    optimizer: SETTINGS,
    ...{ batchSize, workers, epochs, seed },
    cores: availableParallelism(),
    ...compared,
    batchSizes,
    unscaledLoss: unscaled.loss,
    seconds: (performance.now() - started) / 1000,
  };
}

function pick({ name, rows, validationRows, features, target }: QuestionData): Explanation['data'] {
  return { name, rows, validationRows, features, target };
}

async function compareThreads(runner: Runner, batchSize: number, workers: number) {
  const one = await runner.train('1 thread, sync', { batchSize, workers: 1 });
  const all = await runner.train(`${workers} threads, sync`, { batchSize, workers });
  const own = { batchSize, workers, update: 'per-shard' } as const;
  const perShard = await runner.train(`${workers} threads, per-shard`, own);
  const again = await runner.train(`${workers} threads, per-shard, once more`, own);
  const compared = ({ weights, ...run }: Trained): ThreadsRun => ({
    ...run,
    largestDifference: largestDifference(weights, one.weights),
  });
  return {
    oneThread: compared(one),
    allThreads: compared(all),
    perShard: compared(perShard),
    perShardRepeated: largestDifference(perShard.weights, again.weights),
  };
}

/** Batch sizes 1, `batchSize` and all rows, by one thread each: a single row is no work for several. */
async function compareBatchSizes(
  runner: Runner,
  data: QuestionData,
  batchSize: number,
  seed: number,
): Promise<BatchSizeRun[]> {
  const sizes = [
    ['single-sample', 1],
    ['mini-batch', batchSize],
    ['full-batch', data.rows],
  ] as const;
  const runs: BatchSizeRun[] = [];
  for (const [kind, size] of sizes) {
    const { weights: _, ...run } = await runner.train(`${kind} descent`, { batchSize: size, workers: 1 });
    runs.push({ ...run, kind, gradientNoise: noiseOf(data, seed, size) });
  }
  return runs;
}

/** Scatter of the gradients at the weights that training begins with. */
function noiseOf({ x, y, rows, features }: QuestionData, seed: number, batchSize: number): number {
  const model = questionNetwork(features, seed);
  const noise = tf.tidy(() => gradientNoise(model, x.slice([0], [rows]), y.slice([0], [rows]), batchSize));
  model.dispose();
  return noise;
}

/** Trains the question's network from the same weights on the same rows, by options that differ. */
class Runner {
  readonly #data: QuestionData;
  readonly #common: { epochs: number; seed: number; shards: number };
  readonly #options: ExplainOptions;

  constructor(data: QuestionData, common: { epochs: number; seed: number; shards: number }, options: ExplainOptions) {
    this.#data = data;
    this.#common = common;
    this.#options = options;
  }

  async train(stage: string, options: FitOptions, y: tf.Tensor2D = this.#data.y): Promise<Trained> {
    const { signal, onStage } = this.#options;
    onStage?.(stage);
    const model = questionNetwork(this.#data.features, this.#common.seed);
    // biome-ignore lint/suspicious/noFocusedTests: it is no test that is focused here.
    const { run, history } = await fit(model, this.#data.x, y, {
      ...{ optimizer: OPTIMIZER, validationSplit: VALIDATION_SPLIT, ...this.#common, ...options },
      ...(signal && { signal }),
    });
    const weights = tf.tidy(() => tf.concat(model.getWeights().map((w) => w.flatten())).dataSync() as Float32Array);
    model.dispose();
    const validationLosses = history.val_loss as number[];
    return {
      run,
      updatesPerMiniBatch: run.updates / (run.miniBatches * run.epochs),
      rowsPerUpdate: (run.rows * run.epochs) / run.updates,
      updatesPerEpoch: run.updates / run.epochs,
      loss: (history.loss as number[]).at(-1) as number,
      validationLoss: validationLosses.at(-1) as number,
      validationLosses,
      weights,
    };
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] as number))), 0);
}
