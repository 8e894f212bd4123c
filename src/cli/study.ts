import * as tf from '@tensorflow/tfjs';
import { type StudyOptions, study } from '../index.js';
import { planOf } from '../study/plan.js';
import { withFlagNames } from './flag-names.js';
import type { Interruption } from './interruption.js';
import { defaultLearningRate } from './objective.js';
import { checkMomentum } from './optimizer-options.js';
import type { Output } from './output.js';
import { studyReport } from './report/study-report.js';
import { ruleFitOptions } from './rule-options.js';
import type { StudyCommandOptions } from './study-command.js';
import { loadStudyTask } from './study-task.js';

/** Learning rates, as multiples of the one that `shardfit train` takes for the data. */
const RATES = [3, 10, 30];

/**
 * `shardfit study`: trains the grid and writes the report.
 *
 * @throws Error if the study cannot start or go on.
 */
export async function studyCommandLine(
  options: StudyCommandOptions,
  output: Output,
  { signal }: Interruption,
): Promise<void> {
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  // Before the data is loaded: nothing about it can put these right.
  checkMomentum(options);
  withFlagNames(() => planOf(studyOptionsOf(options, { training: Number.MAX_SAFE_INTEGER, learningRate: 0.01 })));
  const loaded = await loadStudyTask({ ...options, signal }, output);
  const report = studyReport(output, options);
  const data = { training: loaded.training, learningRate: defaultLearningRate(loaded.target) };
  const studyOptions = { ...studyOptionsOf(options, data), signal, onProgress: report.progress };
  try {
    report.end(await study(loaded.task, studyOptions));
  } catch (error) {
    report.stop();
    if (!signal.aborted || error !== signal.reason) throw error;
    output.error(`shardfit: stopped; the same command goes on with what is in ${options.out}`);
  }
}

/** @param data rows to train on, and the learning rate that `shardfit train` would take. */
function studyOptionsOf(
  options: StudyCommandOptions,
  { training, learningRate }: { training: number; learningRate: number },
): StudyOptions {
  const { out, rules, batchSizes, workers, virtualWorkers, seeds, epochs, targetLoss, lrs } = options;
  const { validationSplit, momentum, nesterov, decay } = options;
  const { maxStaleness, hogwildMomentum, syncEvery, outerMomentum, outerLr, straggler } = options;
  const {
    update: _,
    virtualWorkers: __,
    ...rule
  } = ruleFitOptions({
    ...{ update: 'sync', maxStaleness, hogwildMomentum, syncEvery, outerMomentum, outerLr, straggler },
  });
  // Multiples that are shown as they are meant: 0.03, not 0.030000000000000002.
  const usual = RATES.map((times) => Number((times * learningRate).toPrecision(3)));
  return {
    folder: out,
    ...(rules && { rules }),
    ...(batchSizes && { batchSizes: batchSizes.map((size) => (size === 'full' ? training : size)) }),
    ...(workers && { workers }),
    ...(virtualWorkers && { virtualWorkers }),
    ...(seeds !== undefined && { seeds: Array.from({ length: seeds }, (_, seed) => seed) }),
    ...(epochs !== undefined && { epochs }),
    ...(targetLoss !== undefined && { targetLoss }),
    learningRates: lrs ?? usual,
    ...{ validationSplit, momentum, nesterov, decay },
    ...rule,
  };
}
