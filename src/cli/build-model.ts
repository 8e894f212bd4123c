import * as tf from '@tensorflow/tfjs';
import { fitsShape } from '../data/row-shape.js';
import type { Table } from '../data/table.js';
import type { Activation, Loss } from './choices.js';
import { seedFor } from './initial-weights.js';
import { chooseObjective, type Objective } from './objective.js';
import { count } from './report/format.js';
import { readTopology } from './topology.js';
import { UsageError } from './usage-error.js';

export interface ModelChoice {
  /** Path of a topology; without it a network of dense layers is built. */
  file?: string | undefined;
  /** Widths of the hidden layers. */
  hidden: number[];
  activation: Activation;
  loss?: Loss | undefined;
  seed: number;
}

/** A compiled model, and what it is trained for. */
export interface BuiltModel {
  model: tf.LayersModel;
  objective: Objective;
}

/**
 * Builds the model for a table, compiled with the loss that its target calls for. Its weights depend on the seed alone.
 *
 * @throws UsageError if the file is missing, is no tfjs topology, or does not fit the columns or the target.
 */
export async function buildModel(table: Table, choice: ModelChoice): Promise<BuiltModel> {
  const { loss } = choice;
  const model = choice.file === undefined ? undefined : await readTopology(choice.file, choice.seed);
  if (model) checkInput(model, table, choice.file as string);
  const objective = chooseObjective(table.target, loss, model && widthOf(model.outputs[0] as tf.SymbolicTensor));
  if (model) checkOutput(model, table, objective, choice.file as string);
  const built = model ?? buildDense(table.columns.length, objective, choice);
  // The optimizer is given to fit; compile only wants one.
  built.compile({ optimizer: 'sgd', loss: objective.loss, metrics: objective.metrics });
  return { model: built, objective };
}

function buildDense(features: number, objective: Objective, { hidden, activation, seed }: ModelChoice): tf.LayersModel {
  const widths = [...hidden, objective.units];
  checkSize([features, ...widths]);
  const layers = widths.map((units, index) =>
    tf.layers.dense({
      units,
      activation: index < hidden.length ? activation : objective.activation,
      kernelInitializer: tf.initializers.glorotUniform({ seed: seedFor(seed, `dense ${index}`) }),
      ...(index === 0 && { inputShape: [features] }),
    }),
  );
  return tf.sequential({ layers });
}

/** What a thread's memory can address, in 32-bit floats. tfjs would say 'Invalid typed array length'. */
const MOST_WEIGHTS = 2 ** 30;

function checkSize(widths: number[]): void {
  const weights = widths.reduce((sum, width, index) => sum + width * ((widths[index - 1] ?? 0) + 1), 0);
  if (weights <= MOST_WEIGHTS) return;
  throw new UsageError(
    `--hidden ${widths.slice(1, -1)} makes ${count(weights)} weights; at most ${count(MOST_WEIGHTS)} fit in memory`,
  );
}

function checkInput(model: tf.LayersModel, { columns, name, rowShape }: Table, file: string): void {
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new UsageError(
      `--model ${file} has ${model.inputs.length} inputs and ${model.outputs.length} outputs; a table has one of each: train this model with fit() of the library`,
    );
  }
  const [input] = model.inputs as [tf.SymbolicTensor];
  if (widthOf(input) !== columns.length) {
    throw new UsageError(
      `--model ${file} takes rows of shape ${show(input)}, but ${name} has ${columns.length} features; change the model's input shape`,
    );
  }
  if (rowShape && !fitsShape(rowShape, input.shape.slice(1))) {
    throw new UsageError(
      `--model ${file} takes rows of shape ${show(input)}, but those of ${name} are [${rowShape}]: the axes are in another order; transpose the data, or change the model's input shape`,
    );
  }
}

function checkOutput(
  model: tf.LayersModel,
  { target }: Table,
  { loss, encoding, units }: Objective,
  file: string,
): void {
  const [output] = model.outputs as [tf.SymbolicTensor];
  const expected = encoding === 'value' && loss !== 'sparseCategoricalCrossentropy' ? 1 : units;
  if (output.shape.length === 2 && widthOf(output) === expected) return;
  const what = target.kind === 'class' ? `${target.classes.length} classes` : 'a number';
  throw new UsageError(
    `--model ${file} gives rows of shape ${show(output)}, but '${target.name}' is ${what}, which with ${loss} needs [${expected}]; change the model's last layer`,
  );
}

/** Values in one row of a tensor; a size that is left open counts as 0. */
function widthOf(tensor: tf.SymbolicTensor): number {
  return tensor.shape.slice(1).reduce<number>((product, size) => product * (size ?? 0), 1);
}

function show(tensor: tf.SymbolicTensor): string {
  return `[${tensor.shape.slice(1).map((size) => size ?? 'any')}]`;
}
