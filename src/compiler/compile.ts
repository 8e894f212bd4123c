/** From a compiled tfjs model to the program that workers run. */
import type * as tf from '@tensorflow/tfjs';
import type { StepProgram, TensorSpec } from '../common/program.js';
import { lowerGraph } from './graph/lower.js';
import { topologicalOrder, type Value } from './graph/value.js';
import { encodeModel } from './onnx/encode.js';
import { type TracedStep, traceEvaluation, traceTraining } from './trace/steps.js';

/**
 * Compiles forward pass, loss, metrics and gradients for shards of `rows` rows.
 *
 * @param model a compiled tfjs model; unchanged afterwards, and so is tfjs' state
 * @param features per-row shapes and types of the model's inputs, without the batch axis
 * @param targets the same of the targets
 * @param sampleWeights which outputs have weights for their rows. As in tfjs, the loss of an output is then the sum of
 * weight times loss of each row, over the number of rows; metrics are not weighted
 * @throws Error if the model is not compiled, or if the step cannot be traced (see the message)
 */
export function compileTrainingStep(
  model: tf.LayersModel,
  rows: number,
  features: TensorSpec[],
  targets: TensorSpec[],
  sampleWeights: readonly boolean[] = [],
): StepProgram {
  checkRows(rows);
  return lower(traceTraining(model, { rows, features, targets, sampleWeights }), rows);
}

/** Compiles forward pass, loss and metrics with `training: false`. As in tfjs, the loss leaves out regularizers. */
export function compileEvaluationStep(
  model: tf.LayersModel,
  rows: number,
  features: TensorSpec[],
  targets: TensorSpec[],
  sampleWeights: readonly boolean[] = [],
): StepProgram {
  checkRows(rows);
  return lower(traceEvaluation(model, { rows, features, targets, sampleWeights }), rows);
}

function checkRows(rows: number): void {
  if (!Number.isInteger(rows) || rows < 1) throw new RangeError(`rows must be a positive integer, got ${rows}`);
}

function lower(step: TracedStep, rows: number): StepProgram {
  const values = lowerGraph(
    step.outputs.map((output) => output.value),
    constants(step),
  );
  const outputs = step.outputs.map(({ role }, i) => {
    const value = values[i] as Value;
    const name = role.kind === 'logs' ? 'logs' : `${role.kind}_${role.index}`;
    return { name, role, value, shape: [...value.shape], dtype: 'float32' as const };
  });
  const used = topologicalOrder(outputs.map((output) => output.value)).filter((value) => value.op === 'Input');
  const inputs = used.map((value) => {
    const role = step.roles.get(value);
    if (!role) throw new Error(`the step uses '${value.attrs.name}', which is no input`);
    return {
      name: value.attrs.name as string,
      role,
      value,
      shape: [...value.shape],
      dtype: value.dtype as TensorSpec['dtype'],
    };
  });
  const onnx = encodeModel(inputs, outputs);
  return { rows, onnx, inputs: inputs.map(withoutValue), outputs: outputs.map(withoutValue) };
}

/** What the user's code made before the step and uses in it, by value. Variables of other models are not read. */
function constants(step: TracedStep): Map<Value, Value> {
  const used = topologicalOrder(step.outputs.map((output) => output.value));
  return new Map(
    used.flatMap((value) => {
      const tensor = step.captured.get(value);
      if (!tensor) return [];
      const data = tensor.dataSync() as Float32Array | Int32Array | Uint8Array;
      return [[value, step.graph.constant(data.slice(), value.shape, value.dtype)]];
    }),
  );
}

function withoutValue<T extends { value: unknown }>({ value: _, ...rest }: T): Omit<T, 'value'> {
  return rest;
}
