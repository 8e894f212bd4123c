/** Models that tfjs itself computes in the workers, since they cannot be traced or since the user wants it so. */
import type * as tf from '@tensorflow/tfjs';
import type { OutputRole, ProgramOutput, StepProgram } from '../common/program.js';
import type { EagerModel } from '../common/protocol.js';

/**
 * What a worker needs to build the model anew.
 *
 * @param modelModule URL of a module whose `build()` returns the compiled model; without it the topology is sent.
 * @param reason why the step has no program, if that is why.
 * @param needsLoss whether the loss is needed, not only the outputs.
 * @throws TypeError for a model that only a module can tell of.
 */
export function describeEager(
  model: tf.LayersModel,
  modelModule: string | undefined,
  specs: Pick<EagerModel, 'features' | 'targets'>,
  reason?: string,
  needsLoss = true,
): EagerModel {
  const rest = { ...specs, ...(reason !== undefined && { reason }) };
  if (modelModule !== undefined) return { source: { module: modelModule }, ...rest };
  const { loss, metrics } = model as unknown as { loss: unknown; metrics: unknown };
  if (needsLoss && (hasFunction(loss) || hasFunction(metrics))) {
    throw new TypeError(
      `engine 'tfjs' builds the model anew in every worker, and ${hasFunction(loss) ? 'the loss' : 'a metric'} is a function, ` +
        'which cannot be sent there: give modelModule, the URL of a module whose build() returns the compiled model',
    );
  }
  // A copy: what toJSON returns may hold functions of user layers.
  const topology = JSON.parse(JSON.stringify(model.toJSON(null, false))) as object;
  return { source: { topology, loss: needsLoss ? loss : undefined, metrics }, ...rest };
}

function hasFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasFunction);
}

/** A layer's weights by how they were made: frozen ones too stay what they were made as. */
interface LayerWeights {
  _nonTrainableWeights?: { id: number }[];
  layers?: LayerWeights[];
}

/** Stands for a program: tells the coordinator which weights a step writes. tfjs does the computing. */
export function eagerProgram(model: tf.LayersModel, rows: number, batchRows: number): StepProgram {
  const open = model as unknown as LayerWeights & { weights: { id: number }[]; collectedTrainableWeights: unknown[] };
  const replaced = new Set(nonTrainable(open));
  const outputs: ProgramOutput[] = [];
  const add = (role: OutputRole, shape: number[]) => {
    outputs.push({ name: `${role.kind}_${outputs.length}`, role, shape, dtype: 'float32' });
  };
  model.weights.forEach(({ shape }, index) => {
    const weight = open.weights[index] as { id: number };
    const sizes = shape.map((size) => size ?? 1);
    if (open.collectedTrainableWeights?.includes(weight)) add({ kind: 'gradient', index }, sizes);
    else if (replaced.has(weight.id)) add({ kind: 'state', index }, sizes);
  });
  const stages = [[]];
  return { rows, batchRows, stages, inputs: [], outputs, carried: [], exchanges: [] };
}

function nonTrainable({ _nonTrainableWeights: own = [], layers = [] }: LayerWeights): number[] {
  return [...own.map(({ id }) => id), ...layers.flatMap(nonTrainable)];
}

/** Stand for the programs of constraints. */
export function eagerConstraints(model: tf.LayersModel): StepProgram[] {
  const open = model as unknown as { weights: { constraint: unknown }[]; collectedTrainableWeights: unknown[] };
  return open.weights.flatMap((weight, index) => {
    if (!weight.constraint || !open.collectedTrainableWeights.includes(weight)) return [];
    const role: OutputRole = { kind: 'constrained', index };
    const shape = (model.weights[index] as tf.LayersModel['weights'][number]).shape as number[];
    return [
      { ...eagerProgram(model, 1, 1), outputs: [{ name: 'constrained', role, shape, dtype: 'float32' as const }] },
    ];
  });
}

/** Stands for the program of a forward pass. */
export function eagerPrediction(model: tf.LayersModel, rows: number): StepProgram {
  const outputs = model.outputs.map(({ shape, dtype }, index): ProgramOutput => {
    const [, ...row] = shape;
    if (row.includes(null)) {
      throw new RangeError(`output ${index} of the model has the open shape [${shape}]: use model.predict of tfjs`);
    }
    const role: OutputRole = { kind: 'prediction', index };
    return { name: `prediction_${index}`, role, shape: [rows, ...(row as number[])], dtype: dtype as 'float32' };
  });
  return { ...eagerProgram(model, rows, rows), outputs };
}
