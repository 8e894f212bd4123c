import * as tf from '@tensorflow/tfjs';
import { batchCount } from '../common/shards.js';
import { resolveOptions } from '../coordinator/options.js';
import { fitNormalizer, normalize } from '../data/normalizer.js';
import { earlyStopping, type FitOptions } from '../index.js';
import { preprocessingOf } from '../saved-model/preprocessing.js';
import { saveModel } from '../saved-model/save-model.js';
import { sha256, weightBytes } from '../saved-model/weight-bytes.js';
import { buildModel } from './build-model.js';
import { balancedClassWeights } from './class-weights.js';
import { divergence } from './divergence.js';
import { withFlagNames } from './flag-names.js';
import type { Interruption } from './interruption.js';
import { keptEpoch } from './kept-epoch.js';
import { loadTable } from './load-table.js';
import { defaultLearningRate, encodeTarget } from './objective.js';
import { chooseOptimizer } from './optimizer-options.js';
import type { Output } from './output.js';
import { planOf } from './plan.js';
import { jsonReport } from './report/json-report.js';
import { textReport } from './report/text-report.js';
import { ruleFitOptions } from './rule-options.js';
import { runFit } from './run-fit.js';
import { checkSave } from './save-option.js';
import { checkSchedule, scheduledRate } from './schedule-options.js';
import type { TrainOptions } from './train-options.js';

/**
 * `shardfit train`: loads the data, builds the model, trains, saves, and tells how it went.
 *
 * @throws Error if training cannot start or diverges.
 */
export async function train(options: TrainOptions, output: Output, interruption: Interruption): Promise<void> {
  const { quiet, epochs, save } = options;
  // Before the data is loaded: nothing about it can put these right.
  checkSchedule(options);
  withFlagNames(() => resolveOptions({ ...fitOptionsOf(options), optimizer: chooseOptimizer(options) }));
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  // Before training rather than after it, when the work would be lost.
  if (save !== undefined) await checkSave(save);
  const { signal } = interruption;
  const { table, training } = await loadTable({ ...options, signal }, output);
  signal.throwIfAborted();
  const normalizer = fitNormalizer(table.features, table.columns, training);
  const classWeight = options.classWeight && balancedClassWeights(table.target, training);
  const { model, objective } = await buildModel(table, { ...options, file: options.model });
  const sgdRate = options.optimizer === 'sgd' ? defaultLearningRate(table.target) : undefined;
  const chosen = chooseOptimizer({ ...options, lr: options.lr ?? sgdRate });
  const batchSize = options.batchSize === 'full' ? training : options.batchSize;
  const rate = chosen.learningRate as number;
  const { gradientAccumulationSteps = 1 } = options;
  const updates = options.epochs * Math.ceil(batchCount(training, batchSize) / gradientAccumulationSteps);
  const optimizer = { ...chosen, learningRate: scheduledRate(options, rate, updates) };
  const report = options.json ? jsonReport(output, { quiet }) : textReport(output, { quiet, epochs });
  report.start({ ...planOf(table, training, model, objective), optimizer: describe(options, rate) });
  const [input] = model.inputs as [tf.SymbolicTensor];
  const x = tf.tensor(normalize(normalizer, table.features), [table.rows, ...(input.shape.slice(1) as number[])]);
  const y = encodeTarget(table.target, objective);
  const fitOptions = { ...fitOptionsOf(options), batchSize, optimizer, ...(classWeight && { classWeight }) };
  const monitor = training < table.rows ? 'val_loss' : 'loss';
  const stopping = stoppingOf(options, monitor);
  const { run, interrupted, results } = await runFit(model, x, y, fitOptions, report, signal, stopping);
  tf.dispose([x, y]);
  const diverged = divergence(model, results.at(-1)?.logs);
  const saved = diverged !== undefined || run.updates === 0 ? undefined : save;
  const preprocessing = preprocessingOf(normalizer, table.target, objective.loss);
  const saving = saved === undefined ? undefined : saveModel(saved, model, preprocessing);
  // What was done is told even if it cannot be saved.
  const failed = await saving?.catch((error: Error) => error);
  report.end({
    run,
    kept: keptEpoch(results, stopping && monitor),
    weightsSha256: sha256(weightBytes(model)),
    interrupted,
    diverged: diverged !== undefined,
    saved: failed ? undefined : saved,
  });
  if (failed) throw failed;
  if (interrupted && saved !== undefined && options.json)
    output.error(`shardfit: saved the weights reached to ${saved}`);
  if (interrupted && run.updates === 0 && save !== undefined) {
    output.error('shardfit: stopped before the first update; nothing was saved');
  }
  if (diverged !== undefined) {
    const nothingSaved = save === undefined ? '' : '; nothing was saved';
    throw new Error(`training diverged, ${diverged}: try a smaller --lr than ${rate}${nothingSaved}`);
  }
}

/** The options for `fit`, but for the optimizer. A full batch is as large as the data, which is not known yet. */
function fitOptionsOf(options: TrainOptions): FitOptions {
  const { batchSize, epochs, validationSplit, shuffle, seed, workers, shards } = options;
  return {
    ...{ epochs, validationSplit, shuffle, seed, workers },
    ...(batchSize !== 'full' && { batchSize }),
    ...(shards !== undefined && { shards }),
    ...ruleFitOptions(options),
  };
}

function stoppingOf({ earlyStopping: patience }: TrainOptions, monitor: string): tf.Callback | undefined {
  return patience === undefined ? undefined : earlyStopping({ monitor, patience, restoreBestWeights: true });
}

function describe({ optimizer, schedule, warmUp }: TrainOptions, rate: number): string {
  const course = schedule === 'constant' ? '' : `, ${schedule}`;
  const rise = warmUp === undefined ? '' : `, warm-up of ${warmUp} updates`;
  return `${optimizer}, learning rate ${rate}${course}${rise}`;
}
