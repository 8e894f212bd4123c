/** Traces the model's own training and evaluation functions. */
import type * as tf from '@tensorflow/tfjs';
import type { InputRole } from '../../common/program.js';
import { Graph, type Value } from '../graph/value.js';
import { swapCellDropout } from './cell-dropout.js';
import { unfuseDilated } from './dilated.js';
import { type OpenLayer, type OpenModel, type OpenWeight, openModel } from './engine.js';
import { allLayers, watchLayers } from './layers.js';
import { NotTraceable } from './not-traceable.js';
import { watchFunctions, watchGradients } from './places.js';
import { swapPreprocessing } from './preprocessing.js';
import { type DrawUniform, forbidRandom, swapRandomLayers } from './random.js';
import { repairNormalizations, separateArguments } from './repairs.js';
import { withTracing } from './session.js';
import { type DataSpecs, type StepOutput, StepTrace } from './step-trace.js';

/** A step as a graph: what goes in and what comes out. */
export interface TracedStep {
  graph: Graph;
  roles: Map<Value, InputRole>;
  outputs: StepOutput[];
  /** Values of tensors that the user's code made before the step; constants of the program. */
  captured: Map<Value, tf.Tensor>;
}

/** Records forward pass, loss, metrics and gradients of one shard. */
export function traceTraining(model: tf.LayersModel, data: DataSpecs): TracedStep {
  return trace(model, data, (step) => step.train());
}

/** Records forward pass, loss and metrics only. */
export function traceEvaluation(model: tf.LayersModel, data: DataSpecs): TracedStep {
  return trace(model, data, (step) => step.evaluate());
}

/** Records the forward pass alone, of a model that need not be compiled. */
export function tracePrediction(model: tf.LayersModel, rows: number, features: DataSpecs['features']): TracedStep {
  return traceOpen(openModel(model, false), model, { rows, features, targets: [], sampleWeights: [] }, (step) =>
    step.predict(),
  );
}

/** Records what constraints make of the weights after an update. */
export function traceConstraints(model: tf.LayersModel): TracedStep {
  return traceOpen(openModel(model), model, { rows: 1, features: [], targets: [], sampleWeights: [] }, (step) =>
    step.constrain(),
  );
}

function trace(userModel: tf.LayersModel, data: DataSpecs, run: (step: StepTrace) => void): TracedStep {
  const model = openModel(userModel);
  checkCounts(model, data);
  return traceOpen(model, userModel, data, run);
}

function traceOpen(
  model: OpenModel,
  userModel: tf.LayersModel,
  data: DataSpecs,
  run: (step: StepTrace) => void,
): TracedStep {
  const weights = userModel.weights as unknown as OpenWeight[];
  const layers = allLayers(model);
  forbidStateful(layers);
  const graph = new Graph();
  return withTracing(graph, (session) => {
    const step = new StepTrace(model, weights, session, data);
    const swaps: { restore(): void }[] = [];
    try {
      const draw: DrawUniform = (shape, perRow) => step.drawUniform(shape, perRow);
      swaps.push(...watchFunctions(model, userModel.outputNames, session.backend), watchGradients(session.backend));
      swaps.push(...watchLayers(layers, graph), ...unfuseDilated(layers), ...swapPreprocessing(layers));
      swaps.push(...repairNormalizations(layers), ...separateArguments(layers));
      swaps.push(...swapRandomLayers(layers, draw), ...swapCellDropout(layers, draw));
      swaps.push(forbidRandom(() => graph.currentLayer));
      run(step);
    } finally {
      for (const swap of swaps.reverse()) swap.restore();
    }
    return { graph, roles: step.roles, outputs: step.outputs, captured: session.captured };
  });
}

function checkCounts(model: OpenModel, { features, targets, sampleWeights }: DataSpecs): void {
  if (features.length !== model.inputs.length || targets.length !== model.outputs.length) {
    throw new RangeError(
      `model '${model.name}' has ${model.inputs.length} inputs and ${model.outputs.length} outputs, ` +
        `got ${features.length} features and ${targets.length} targets`,
    );
  }
  if (sampleWeights.length > model.outputs.length) {
    throw new RangeError(
      `model '${model.name}' has ${model.outputs.length} outputs, got sampleWeights for ${sampleWeights.length}`,
    );
  }
}

/** A stateful layer would also throw away the states that the user's layer holds when its step is traced. */
function forbidStateful(layers: readonly OpenLayer[]): void {
  const layer = layers.find((candidate) => 'cell' in candidate && candidate.stateful === true);
  if (!layer) return;
  throw new NotTraceable(
    `layer '${layer.name}' is stateful: every row of a mini-batch goes on where the same row of the one before ended, ` +
      'so that a step is no function of weights and data',
    'build it with stateful: false',
  );
}
