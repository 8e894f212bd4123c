import * as tf from '@tensorflow/tfjs';
import { resolveRule } from '../coordinator/rule-options.js';
import { loadData } from '../data/data-sets.js';
import { fitNormalizer, normalize } from '../data/normalizer.js';
import { trainingRows } from '../data/split.js';
import { preprocessingOf } from '../saved-model/preprocessing.js';
import { checkSaveFolder, saveModel } from '../saved-model/save-model.js';
import { sha256, weightBytes } from '../saved-model/weight-bytes.js';
import { buildModel } from './build-model.js';
import type { Interruption } from './interruption.js';
import { defaultLearningRate, encodeTarget } from './objective.js';
import type { Output } from './output.js';
import { planOf } from './plan.js';
import { jsonReport } from './report/json-report.js';
import { textReport } from './report/text-report.js';
import { ruleFitOptions, withFlagNames } from './rule-options.js';
import { runFit } from './run-fit.js';
import type { TrainOptions } from './train-options.js';

/**
 * `shardfit train`: loads the data, builds the model, trains, saves, and tells how it went.
 *
 * @throws Error if training cannot start or diverges.
 */
export async function train(options: TrainOptions, output: Output, interruption: Interruption): Promise<void> {
  const { quiet, epochs, save, workers, shards } = options;
  // Before the data is loaded: nothing about it can put these right.
  withFlagNames(() => resolveRule({ workers, ...(shards !== undefined && { shards }), ...ruleFitOptions(options) }));
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  // Before training rather than after it, when the work would be lost.
  if (save !== undefined) await checkSaveFolder(save);
  const table = await loadData(options.data, options);
  const training = trainingRows(table.rows, options.validationSplit);
  const normalizer = fitNormalizer(table.features, table.columns, training);
  const { model, objective } = await buildModel(table, { ...options, file: options.model });
  const report = options.json ? jsonReport(output, { quiet }) : textReport(output, { quiet, epochs });
  report.start(planOf(table, training, model, objective));
  const [input] = model.inputs as [tf.SymbolicTensor];
  const x = tf.tensor(normalize(normalizer, table.features), [table.rows, ...(input.shape.slice(1) as number[])]);
  const y = encodeTarget(table.target, objective);
  const batchSize = options.batchSize === 'full' ? training : options.batchSize;
  const lr = options.lr ?? defaultLearningRate(table.target);
  const { run, interrupted, loss } = await runFit(
    model,
    x,
    y,
    { ...options, batchSize, lr },
    report,
    interruption.signal,
  );
  tf.dispose([x, y]);
  const diverged = Number.isNaN(loss) || Math.abs(loss) === Number.POSITIVE_INFINITY;
  const saved = diverged || run.updates === 0 ? undefined : save;
  if (saved !== undefined) await saveModel(saved, model, preprocessingOf(normalizer, table.target));
  report.end({ run, weightsSha256: sha256(weightBytes(model)), interrupted, saved });
  if (interrupted && saved !== undefined && options.json)
    output.error(`shardfit: saved the weights reached to ${saved}`);
  if (diverged) {
    const nothingSaved = save === undefined ? '' : '; nothing was saved';
    throw new Error(`training diverged, the loss is ${loss}: try a smaller --lr than ${lr}${nothingSaved}`);
  }
}
