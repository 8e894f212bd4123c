import * as tf from '@tensorflow/tfjs';
import { fitNormalizer, normalize } from '../data/normalizer.js';
import type { Target } from '../data/table.js';
import type { StudyTask } from '../index.js';
import { buildModel, type ModelChoice } from './build-model.js';
import { loadTable } from './load-table.js';
import { encodeTarget } from './objective.js';
import type { Output } from './output.js';
import { planOf } from './plan.js';
import type { TaskOptions } from './task-options.js';

/** What the command line asks to study. */
export interface CommandLineTask {
  task: StudyTask;
  /** Rows that are trained on. */
  training: number;
  target: Target;
}

/**
 * Loads the data and builds the model once, to see that they fit.
 *
 * @throws DataError or UsageError as `shardfit train` does.
 */
export async function loadStudyTask(options: TaskOptions, output: Output): Promise<CommandLineTask> {
  const { table, training } = await loadTable(options, output);
  const normalizer = fitNormalizer(table.features, table.columns, training);
  const choice: Omit<ModelChoice, 'seed'> = { ...options, file: options.model };
  const { model, objective } = await buildModel(table, { ...choice, seed: 0 });
  const [input] = model.inputs as [tf.SymbolicTensor];
  const plan = planOf(table, training, model, objective);
  const task: StudyTask = {
    name: table.name,
    description: `${plan.model}; ${plan.objective}; target ${plan.target}`,
    createModel: async (seed) => (await buildModel(table, { ...choice, seed })).model,
    x: tf.tensor(normalize(normalizer, table.features), [table.rows, ...(input.shape.slice(1) as number[])]),
    y: encodeTarget(table.target, objective),
  };
  model.dispose();
  return { task, training, target: table.target };
}
