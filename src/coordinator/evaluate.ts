import type * as tf from '@tensorflow/tfjs';
import { checkNames } from '../common/option-names.js';
import type { DataSet } from '../common/protocol.js';
import { batchCount } from '../common/shards.js';
import { trainableModel } from './check-model.js';
import type { TensorInput } from './data-in.js';
import { prepareEvaluation, runEvaluation } from './evaluation.js';
import { firstBatches } from './first-batches.js';
import { matchData } from './match-data.js';
import { type FitOptions, resolveOptions } from './options.js';
import { ArenaRows } from './row-source.js';
import type { SampleWeight } from './sample-weights.js';
import { checkStatefulRows } from './stateful.js';
import { OWN_THREADS, type ThreadSource } from './threads.js';
import { putRows } from './training-arena.js';

/** Options of `evaluate`. */
export interface EvaluateOptions
  extends Pick<FitOptions, 'batchSize' | 'workers' | 'shards' | 'engine' | 'modelModule' | 'onWarning'> {
  /** What rows count in the loss; see `fit`. */
  sampleWeight?: SampleWeight;
  /** Mini-batches, the first ones, that are evaluated. Default: all. */
  steps?: number;
  /** As in `fit`: nothing is printed. */
  verbose?: 0 | 1 | 2;
  /** Ends the evaluation, which then rejects with its reason. */
  signal?: AbortSignal;
}

const OPTIONS = [
  ...['batchSize', 'workers', 'shards', 'engine', 'modelModule', 'sampleWeight', 'steps', 'verbose', 'onWarning'],
  'signal',
];

/**
 * Loss and metrics of a compiled model, on every core: what tfjs' `model.evaluate` computes, as numbers by name. As there, they
 * are means over mini-batches weighted by rows, and the loss leaves out regularizers.
 *
 * @param x rows for the model's inputs, shape [n, ...input].
 * @param y rows for the model's outputs, shape [n, ...output].
 * @returns `{ loss, acc, ... }` by the names of `History`.
 * @throws TypeError or RangeError for a model, data or options that cannot be evaluated, before any thread starts; the signal's reason.
 */
export async function evaluate(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: EvaluateOptions = {},
): Promise<Record<string, number>> {
  return evaluateOn(OWN_THREADS, model, x, y, options);
}

/** As `evaluate`, on threads from `threads`. */
export async function evaluateOn(
  threads: ThreadSource,
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: EvaluateOptions,
): Promise<Record<string, number>> {
  checkNames('evaluate', options, OPTIONS);
  const { sampleWeight, steps, ...shared } = options;
  const resolved = resolveOptions(shared);
  const compiled = trainableModel(model);
  const { batchSize } = resolved;
  const all = await matchData(compiled, x, y, ['x', 'y', 'sampleWeight'], sampleWeight);
  checkStatefulRows(compiled, all.rows, batchSize, 'x');
  const data = firstBatches(all, batchSize, steps, 'steps');
  const rooms = [{ name: 'evaluation', like: data, rows: data.rows }];
  const prepared = prepareEvaluation(compiled, data, resolved, rooms, batchCount(data.rows, batchSize));
  const [rows] = prepared.dataSets as [DataSet];
  putRows(prepared.arena, rows, data);
  const { means } = await runEvaluation(threads, prepared, new ArenaRows(rows, batchSize), resolved.signal);
  return means;
}
