import type * as tf from '@tensorflow/tfjs';
import { checkNames } from '../common/option-names.js';
import type { DataSet } from '../common/protocol.js';
import { batchCount } from '../common/shards.js';
import { type BatchDataset, BatchReader } from './batch-reader.js';
import { compilePrograms } from './compile-programs.js';
import type { TensorInput } from './data-in.js';
import { checkCounts, checkDataset, isDataset } from './dataset-options.js';
import { type FitHistory, train } from './fit.js';
import { type MatchedData, matchData } from './match-data.js';
import { describeCompiled } from './optimizer-state.js';
import { type FitOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { type PreparedFit, prepareGroup } from './prepare.js';
import { ArenaRows } from './row-source.js';
import type { SampleWeight } from './sample-weights.js';
import { batchesInWindow, StreamedRows, windowRooms } from './streamed-rows.js';
import { OWN_THREADS, type ThreadSource } from './threads.js';
import { putRows } from './training-arena.js';

/** Options of `fitDataset`: those of tfjs' `model.fitDataset`, and what concerns threads. Batches are as the data set gives them. */
export interface FitDatasetOptions
  extends Pick<
    FitOptions,
    | 'epochs'
    | 'initialEpoch'
    | 'verbose'
    | 'callbacks'
    | 'yieldEvery'
    | 'classWeight'
    | 'workers'
    | 'shards'
    | 'split'
    | 'transport'
    | 'batchStatistics'
    | 'gradientAccumulationSteps'
    | 'engine'
    | 'modelModule'
    | 'seed'
    | 'optimizer'
    | 'signal'
    | 'onProgress'
    | 'onWarning'
  > {
  /** Batches that end an epoch; the next goes on with those that follow. Default: each epoch takes the whole data set. */
  batchesPerEpoch?: number;
  /** A data set of batches, or `[x, y]` or `[x, y, sampleWeight]`, measured after every epoch. */
  validationData?: BatchDataset | [TensorInput, TensorInput] | [TensorInput, TensorInput, SampleWeight];
  /** Of a data set for validation: batches that are measured. Default: all. */
  validationBatches?: number;
  /** Of arrays for validation: rows at a time. Default 32. */
  validationBatchSize?: number;
}

const OWN = ['batchesPerEpoch', 'validationData', 'validationBatches', 'validationBatchSize'];
const SHARED = [
  ...['epochs', 'initialEpoch', 'verbose', 'callbacks', 'yieldEvery', 'classWeight', 'workers', 'shards'],
  ...['split', 'batchStatistics', 'gradientAccumulationSteps', 'engine', 'modelModule', 'seed', 'optimizer', 'signal'],
  ...['transport', 'onProgress', 'onWarning'],
];

/**
 * Trains on batches that are read while others are trained on, and never are in memory all at once: what tfjs'
 * `model.fitDataset` does, on every core. The update rule is `sync`.
 *
 * @param dataset gives `{ xs, ys }` with the rows of a batch, as `tf.data` does after `.batch(n)`. Tensors are disposed of. Batches
 * are alike but for their number of rows, which is that of the first at most.
 * @throws as `fit`, and what the data set throws once training has ended at a whole update, whose weights the model then holds.
 */
export async function fitDataset(
  model: tf.LayersModel,
  dataset: BatchDataset,
  options: FitDatasetOptions = {},
): Promise<FitHistory> {
  return fitDatasetOn(OWN_THREADS, model, dataset, options);
}

/** As `fitDataset`, on threads from `threads`. */
export async function fitDatasetOn(
  threads: ThreadSource,
  model: tf.LayersModel,
  dataset: BatchDataset,
  options: FitDatasetOptions,
): Promise<FitHistory> {
  checkNames('fitDataset', options, [...OWN, ...SHARED]);
  checkDataset('fitDataset', dataset, 'fit');
  const { batchesPerEpoch, validationData, validationBatches, validationBatchSize = 32, ...shared } = options;
  checkCounts({ batchesPerEpoch, validationBatches, validationBatchSize });
  if (!isDataset(validationData)) {
    resolveOptions({ ...(validationData !== undefined && { validationData }) } as FitOptions);
  }
  const resolved = { ...resolveOptions(shared), shuffle: false };
  const limits = { batchesPerEpoch, validationBatches, validationBatchSize };
  return train(threads, model, resolved, (trained) => prepare(trained, dataset, validationData, limits, resolved));
}

interface Limits {
  batchesPerEpoch: number | undefined;
  validationBatches: number | undefined;
  validationBatchSize: number;
}

async function prepare(
  model: tf.LayersModel,
  dataset: BatchDataset,
  validationData: FitDatasetOptions['validationData'],
  { batchesPerEpoch, validationBatches, validationBatchSize }: Limits,
  options: ResolvedOptions,
): Promise<PreparedFit> {
  const optimizer = options.optimizer ?? describeCompiled(model.optimizer);
  const { classWeight, signal } = options;
  const reader = new BatchReader(model, dataset, { name: 'the data set', classWeight, signal });
  const first = await reader.first();
  const validation = await openValidation(model, validationData, validationBatchSize, signal);
  const programs = compilePrograms(model, { ...options, batchSize: first.rows }, first, validation);
  const ofValidation = validation && roomsOf(validation);
  const batches = batchesInWindow(first);
  const space = {
    rooms: [...windowRooms('training', first, batches), ...(ofValidation?.rooms ?? [])],
    steps: Math.max(batches, ofValidation?.steps ?? 0),
    shuffledRows: 0,
  };
  const { dataSets, ...prepared } = prepareGroup(model, optimizer, options, programs, space);
  const { arena } = prepared;
  const [training, others] = [dataSets.slice(0, 2), dataSets.slice(2)];
  const restarts = batchesPerEpoch === undefined;
  return {
    ...prepared,
    training: new StreamedRows(reader, arena, training, batchesPerEpoch, restarts),
    validation: validation && sourceOf(validation, others, prepared, validationBatches),
  };
}

/** Rows for validation: the first batch of a data set, or all of an array. */
interface Validation {
  data: MatchedData;
  batchSize: number;
  reader?: BatchReader;
}

async function openValidation(
  model: tf.LayersModel,
  given: FitDatasetOptions['validationData'],
  batchSize: number,
  signal: AbortSignal | undefined,
): Promise<Validation | undefined> {
  if (given === undefined) return undefined;
  if (isDataset(given)) {
    const reader = new BatchReader(model, given, { name: 'the validation data set', signal });
    const data = await reader.first();
    return { data, batchSize: data.rows, reader };
  }
  const [x, y, weight] = given as [TensorInput, TensorInput, SampleWeight?];
  const names: [string, string, string] = ['validationData[0]', 'validationData[1]', 'validationData[2]'];
  return { data: await matchData(model, x, y, names, weight), batchSize };
}

function roomsOf({ data, batchSize, reader }: Validation) {
  if (reader) {
    const steps = batchesInWindow(data);
    return { rooms: windowRooms('validation', data, steps), steps };
  }
  return { rooms: [{ name: 'validation', like: data, rows: data.rows }], steps: batchCount(data.rows, batchSize) };
}

function sourceOf(
  { data, batchSize, reader }: Validation,
  rooms: DataSet[],
  { arena }: Pick<PreparedFit, 'arena'>,
  batches: number | undefined,
): PreparedFit['validation'] {
  if (reader) return new StreamedRows(reader, arena, rooms, batches, true);
  const [room] = rooms as [DataSet];
  putRows(arena, room, data);
  return new ArenaRows(room, batchSize);
}
