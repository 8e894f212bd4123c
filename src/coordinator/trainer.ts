import type * as tf from '@tensorflow/tfjs';
import { checkNames } from '../common/option-names.js';
import type { BatchDataset } from './batch-reader.js';
import { checkClass } from './check-model.js';
import type { TensorInput } from './data-in.js';
import { type EvaluateOptions, evaluateOn } from './evaluate.js';
import { type EvaluateDatasetOptions, evaluateDatasetOn } from './evaluate-dataset.js';
import { type FitHistory, fitOn } from './fit.js';
import { type FitDatasetOptions, fitDatasetOn } from './fit-dataset.js';
import { type FitOptions, resolveOptions } from './options.js';
import { type PredictOptions, predictOn } from './predict.js';
import { KeptThreads } from './threads.js';

/** Options that a `Trainer` has for all of its calls. */
export type TrainerOptions = Pick<
  FitOptions,
  | 'workers'
  | 'shards'
  | 'split'
  | 'transport'
  | 'batchSize'
  | 'batchStatistics'
  | 'engine'
  | 'modelModule'
  | 'optimizer'
>;

const OPTIONS = [
  'workers',
  'shards',
  'split',
  'transport',
  'batchSize',
  'batchStatistics',
  'engine',
  'modelModule',
  'optimizer',
];

/**
 * A model with threads that stay: the second call of `fit`, `evaluate` or `predict` starts faster than the first. The optimizer
 * goes on where the last `fit` left it, as with the function `fit`.
 *
 * ```js
 * await using trainer = new Trainer(model, { workers: 4 });
 * await trainer.fit(x, y, { epochs: 5 });
 * const loss = await trainer.evaluate(testX, testY);
 * ```
 */
export class Trainer implements AsyncDisposable {
  readonly model: tf.LayersModel;
  readonly #defaults: TrainerOptions;
  readonly #threads = new KeptThreads();
  #ended = false;

  /** @throws TypeError for what is no model, TypeError or RangeError for options that are none. */
  constructor(model: tf.LayersModel, options: TrainerOptions = {}) {
    checkClass(model);
    checkNames('Trainer', options, OPTIONS);
    resolveOptions(options);
    this.model = model;
    this.#defaults = options;
  }

  /** See the function `fit`. Options given here win over the trainer's. */
  async fit(x: TensorInput, y: TensorInput, options: FitOptions = {}): Promise<FitHistory> {
    return fitOn(this.#running, this.model, x, y, { ...this.#defaults, ...options });
  }

  /** See the function `fitDataset`. */
  async fitDataset(dataset: BatchDataset, options: FitDatasetOptions = {}): Promise<FitHistory> {
    const defaults = this.#without('batchSize');
    return fitDatasetOn(this.#running, this.model, dataset, { ...defaults, ...options });
  }

  /** See the function `evaluate`. */
  async evaluate(x: TensorInput, y: TensorInput, options: EvaluateOptions = {}): Promise<Record<string, number>> {
    const defaults = this.#without('batchStatistics', 'optimizer', 'split', 'transport');
    return evaluateOn(this.#running, this.model, x, y, { ...defaults, ...options });
  }

  /** See the function `evaluateDataset`. */
  async evaluateDataset(dataset: BatchDataset, options: EvaluateDatasetOptions = {}): Promise<Record<string, number>> {
    const defaults = this.#without('batchSize', 'batchStatistics', 'optimizer', 'split', 'transport');
    return evaluateDatasetOn(this.#running, this.model, dataset, { ...defaults, ...options });
  }

  /** See the function `predict`. */
  async predict(x: TensorInput, options: PredictOptions = {}): Promise<tf.Tensor | tf.Tensor[]> {
    const defaults = this.#without('shards', 'batchStatistics', 'optimizer', 'split', 'transport');
    return predictOn(this.#running, this.model, x, { ...defaults, ...options });
  }

  /** The trainer's options but for those that a call does not have. */
  #without<K extends keyof TrainerOptions>(...names: K[]): Omit<TrainerOptions, K> {
    const options = { ...this.#defaults };
    for (const name of names) delete options[name];
    return options;
  }

  /** Ends the threads, those that are at work when they are done. For where there is no `await using`, as in Node 20 without TypeScript. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#threads.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @throws Error after the end. */
  get #running(): KeptThreads {
    if (this.#ended) throw new Error('this trainer has ended: make a new one');
    return this.#threads;
  }
}
