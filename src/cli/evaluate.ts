import * as tf from '@tensorflow/tfjs';
import { resolveOptions } from '../coordinator/options.js';
import { readFeatureRows } from '../data/feature-rows.js';
import { readKnownTarget } from '../data/known-target.js';
import { normalize } from '../data/normalizer.js';
import type { Target } from '../data/table.js';
import { evaluate } from '../index.js';
import { loadModel } from '../saved-model/load-model.js';
import type { Preprocessing } from '../saved-model/preprocessing.js';
import { LOSSES, type Loss } from './choices.js';
import type { EvaluateCommandOptions } from './evaluate-command.js';
import { inFlags, withFlagNames } from './flag-names.js';
import { inputShapeOf } from './input-shape.js';
import type { Interruption } from './interruption.js';
import { chooseObjective, encodeTarget } from './objective.js';
import type { Output } from './output.js';
import { counted, metrics } from './report/format.js';
import { savedColumns } from './saved-columns.js';
import { UsageError } from './usage-error.js';

/**
 * `shardfit evaluate`: loss and metrics of a saved model on the rows of a file.
 *
 * @throws Error if the model or the data cannot be read, or do not fit; the signal's reason.
 */
export async function evaluateCommandLine(
  options: EvaluateCommandOptions,
  output: Output,
  { signal }: Interruption,
): Promise<void> {
  const { model: folder, data, batchSize, workers, json } = options;
  withFlagNames(() => resolveOptions({ batchSize, workers }));
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const saved = await loadModel(folder);
  const { model } = saved;
  const preprocessing = savedColumns(folder, saved);
  const loss = lossOf(folder, preprocessing);
  const { normalizer, target: known } = preprocessing;
  const inputShape = inputShapeOf(model);
  const { features, target } = await readAll(
    { ...options, signal },
    { columns: normalizer.columns, inputShape },
    known,
  );
  const objective = chooseObjective(target, loss, model.outputs[0]?.shape.at(-1) ?? undefined);
  model.compile({ optimizer: 'sgd', loss: objective.loss, metrics: objective.metrics });
  const rows = target.values.length;
  const x = tf.tensor(normalize(normalizer, features), [rows, ...(inputShape as number[])]);
  const y = encodeTarget(target, objective);
  const logs = await evaluate(model, x, y, { batchSize, workers, signal }).catch((error) => {
    throw inFlags(error);
  });
  signal.throwIfAborted();
  if (json) return output.line(JSON.stringify({ event: 'evaluated', rows, ...logs }));
  output.line(`${data}: ${counted(rows, 'row')}; loss ${objective.loss}`);
  output.line(metrics(logs));
}

function lossOf(folder: string, preprocessing: Preprocessing): Loss {
  const loss = LOSSES.find((name) => name === preprocessing.loss);
  if (loss !== undefined) return loss;
  throw new UsageError(
    `the model in ${folder} was saved without its loss, as by an older shardfit: train it again with shardfit train --save, or call evaluate of the library`,
  );
}

/** All rows in memory, as the training had them. */
async function readAll(
  { data, target, labels, xKey, yKey, signal }: EvaluateCommandOptions & { signal: AbortSignal },
  model: Parameters<typeof readFeatureRows>[1],
  known: Preprocessing['target'],
): Promise<{ features: Float64Array; target: Target }> {
  const given = Object.fromEntries(Object.entries({ target, labels, xKey, yKey, signal }).filter(([, value]) => value));
  const name = target ?? known.name;
  const rows: ArrayLike<number>[] = [];
  const cells: string[] = [];
  const places: string[] = [];
  for await (const piece of readFeatureRows(data, model, given, name)) {
    for (const row of piece.rows) rows.push(row);
    for (const cell of piece.cells) cells.push(cell);
    for (const place of piece.places) places.push(place);
  }
  const width = model.columns.length;
  const features = new Float64Array(rows.length * width);
  rows.forEach((row, at) => {
    features.set(row, at * width);
  });
  return { features, target: readKnownTarget(data, { ...known, name }, cells, places) };
}
