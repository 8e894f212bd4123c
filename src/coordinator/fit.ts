import type * as tf from '@tensorflow/tfjs';
import { returnMemory } from './arena-memory.js';
import { trainableModel } from './check-model.js';
import type { TensorInput } from './data-in.js';
import { type FitOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { type PreparedFit, prepareFit } from './prepare.js';
import type { RunSummary } from './run-summary.js';
import { OWN_THREADS, type ThreadSource } from './threads.js';
import { Training } from './training.js';

/** tfjs' `History`, whose values are all numbers here, and what was counted while it came about. */
export type FitHistory = { history: Record<string, number[]>; run: RunSummary } & tf.History;

/**
 * Trains a compiled tfjs model on every core. What `model.fit(x, y, args)` does on one, `fit(model, x, y, args)` does on
 * all: the same updates, as many of them, to the same weights.
 *
 * @param model compiled `tf.LayersModel` or `tf.Sequential`; holds the trained weights afterwards.
 * @param x rows for the model's inputs, shape [n, ...input]: a `tf.Tensor`, an `ndarray` or nested arrays.
 * @param y rows for the model's outputs, shape [n, ...output].
 * @returns tfjs' `History` (`epoch`, `history.loss`, `history.val_loss`, ...) with the counts of this run in `run`.
 * @throws TypeError or RangeError for a model, data or options that cannot be trained, before any thread starts.
 * @throws the signal's reason once training has ended at a whole update, whose weights the model then holds, and callbacks have
 * had their `onTrainEnd`.
 * @throws Error that names the rank if a thread is lost; the model then holds the weights of the last whole epoch that it could
 * tell of: short epochs that nobody watches are trained several in a row.
 */
export async function fit(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: FitOptions = {},
): Promise<FitHistory> {
  return fitOn(OWN_THREADS, model, x, y, options);
}

/** As `fit`, on threads from `threads`. */
export async function fitOn(
  threads: ThreadSource,
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: FitOptions,
): Promise<FitHistory> {
  const resolved = resolveOptions(options);
  return train(threads, model, resolved, (trained) => prepareFit(trained, x, y, resolved));
}

/**
 * Trains a model that nothing else trains meanwhile.
 *
 * @param prepare what the training needs; the memory in it is given back.
 */
export async function train(
  threads: ThreadSource,
  model: tf.LayersModel,
  options: ResolvedOptions,
  prepare: (trained: tf.LayersModel) => Promise<PreparedFit>,
): Promise<FitHistory> {
  const trained = trainableModel(model);
  options.signal?.throwIfAborted();
  const state = trained as unknown as { isTraining: boolean };
  if (state.isTraining) throw new Error('this model is being trained by another fit: wait for it to end');
  state.isTraining = true;
  try {
    const prepared = await prepare(trained);
    const { shards, workers } = prepared.setup;
    const { triesWorkers } = prepared;
    return await run(threads, trained, prepared, { ...options, shards, workers, triesWorkers });
  } finally {
    state.isTraining = false;
  }
}

/** Owns the memory that was prepared: no thread uses it any more when it is given back. */
async function run(
  threads: ThreadSource,
  model: tf.LayersModel,
  prepared: PreparedFit,
  options: ResolvedOptions,
): Promise<FitHistory> {
  try {
    options.signal?.throwIfAborted();
    for (const warning of prepared.warnings) options.onWarning?.(warning);
    await using training = new Training(model, prepared, options, threads);
    return await training.run();
  } finally {
    returnMemory(prepared.arena.memory);
  }
}
