import type * as tf from '@tensorflow/tfjs';
import { checkNames } from '../common/option-names.js';
import { type BatchDataset, BatchReader } from './batch-reader.js';
import { trainableModel } from './check-model.js';
import { checkCounts, checkDataset } from './dataset-options.js';
import { prepareEvaluation, runEvaluation } from './evaluation.js';
import { type FitOptions, resolveOptions } from './options.js';
import { batchesInWindow, StreamedRows, windowRooms } from './streamed-rows.js';
import { OWN_THREADS, type ThreadSource } from './threads.js';

/** Options of `evaluateDataset`: those of tfjs' `model.evaluateDataset`, and what concerns threads. */
export interface EvaluateDatasetOptions
  extends Pick<FitOptions, 'verbose' | 'workers' | 'shards' | 'engine' | 'modelModule' | 'onWarning'> {
  /** Batches that are evaluated, the first ones. Default: all. */
  batches?: number;
  /** Ends the evaluation, which then rejects with its reason. */
  signal?: AbortSignal;
}

const OPTIONS = ['batches', 'verbose', 'workers', 'shards', 'engine', 'modelModule', 'onWarning', 'signal'];

/**
 * Loss and metrics of a compiled model on batches that are read while others are computed, and never are in memory all at once:
 * what tfjs' `model.evaluateDataset` computes, on every core, as numbers by name. As there, each batch counts by its rows.
 *
 * @param dataset as `fitDataset` takes it. Tensors are disposed of.
 * @returns `{ loss, acc, ... }` by the names of `History`.
 * @throws TypeError or RangeError for a model, data or options that cannot be evaluated, what the data set throws, and the signal's reason.
 */
export async function evaluateDataset(
  model: tf.LayersModel,
  dataset: BatchDataset,
  options: EvaluateDatasetOptions = {},
): Promise<Record<string, number>> {
  return evaluateDatasetOn(OWN_THREADS, model, dataset, options);
}

/** As `evaluateDataset`, on threads from `threads`. */
export async function evaluateDatasetOn(
  threads: ThreadSource,
  model: tf.LayersModel,
  dataset: BatchDataset,
  options: EvaluateDatasetOptions,
): Promise<Record<string, number>> {
  checkNames('evaluateDataset', options, OPTIONS);
  checkDataset('evaluateDataset', dataset, 'evaluate');
  const { batches, ...shared } = options;
  checkCounts({ batches });
  const resolved = resolveOptions(shared);
  const compiled = trainableModel(model);
  const { signal } = resolved;
  const reader = new BatchReader(compiled, dataset, { name: 'the data set', signal });
  const first = await reader.first();
  const most = batchesInWindow(first);
  const rooms = windowRooms('evaluation', first, most);
  const prepared = prepareEvaluation(compiled, first, { ...resolved, batchSize: first.rows }, rooms, most);
  const source = new StreamedRows(reader, prepared.arena, prepared.dataSets, batches, false);
  const { means, steps } = await runEvaluation(threads, prepared, source, signal);
  if (batches !== undefined && steps < batches) {
    options.onWarning?.(
      `the data set ended after ${steps} of ${batches} batches: the numbers are those of ${steps}; dataset.repeat() gives more`,
    );
  }
  return means;
}
