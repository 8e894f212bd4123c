import * as tf from '@tensorflow/tfjs';
import { type StudyOptions, study } from '../index.js';
import { planOf } from '../study/plan.js';
import type { Interruption } from './interruption.js';
import { defaultLearningRate } from './objective.js';
import type { Output } from './output.js';
import { studyReport } from './report/study-report.js';
import { ruleFitOptions, withFlagNames } from './rule-options.js';
import type { StudyCommandOptions } from './study-command.js';
import { type CommandLineTask, loadStudyTask } from './study-task.js';

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
  const loaded = await loadStudyTask(options);
  const report = studyReport(output, options);
  const studyOptions: StudyOptions = { ...studyOptionsOf(options, loaded), signal, onProgress: report.progress };
  withFlagNames(() => planOf(studyOptions));
  try {
    report.end(await study(loaded.task, studyOptions));
  } catch (error) {
    report.stop();
    if (!signal.aborted || error !== signal.reason) throw error;
    output.error(`shardfit: stopped; the same command goes on with what is in ${options.out}`);
  }
}

function studyOptionsOf(options: StudyCommandOptions, { training, target }: CommandLineTask): StudyOptions {
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
  const usual = RATES.map((times) => Number((times * defaultLearningRate(target)).toPrecision(3)));
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
