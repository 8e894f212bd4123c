import * as tf from '@tensorflow/tfjs';
import type { Arena } from '../common/arena.js';
import { Control } from '../common/control.js';
import type { Optimizer } from '../common/optimizers/index.js';
import { layOutParameters, type ParameterLayout } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import { compilePrograms } from './compile-programs.js';
import type { TensorInput } from './data-in.js';
import { type MatchedData, matchData } from './match-data.js';
import { describeWeights, readWeights } from './model-weights.js';
import { describeCompiled, type OptimizerState, recallState } from './optimizer-state.js';
import type { ResolvedOptions } from './options.js';
import type { GroupSetup } from './replica-group.js';
import { type SampleWeight, weighClasses } from './sample-weights.js';
import { splitRows } from './split.js';
import { buildArena, optimizerStates } from './training-arena.js';

/** All that training needs, checked, compiled and in place: what is left is to start threads. */
export interface PreparedFit {
  setup: GroupSetup;
  arena: Arena;
  control: Control;
  parameters: ParameterLayout;
  /** Described as it was at the start: what there is room for. */
  optimizer: Optimizer;
  /** Updates and mini-batches of earlier fits, with which the optimizer goes on. */
  counts: Pick<OptimizerState, 'updates' | 'batches'>;
  /** See `OptimizerState`. */
  arrangement: string;
  /** Names of loss and metrics, as in `History`. */
  logNames: string[];
  /** What is not as was asked for. */
  warnings: string[];
}

/** @throws TypeError or RangeError for anything about the model or the data that cannot be trained. */
export async function prepareFit(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: ResolvedOptions,
): Promise<PreparedFit> {
  const optimizer = options.optimizer ?? describeCompiled(model.optimizer);
  const [data, validationData] = await readData(model, x, y, options);
  const programs = compilePrograms(model, options, data, validationData);
  const sample = programs.training[0] as StepProgram;
  const parameters = layOutParameters(describeWeights(model, sample));
  const logNames = model.metricsNames;
  const logCount = logNames.length;
  const all = [...programs.training, ...programs.evaluation];
  const { shards, warnings } = programs;
  const built = buildArena(parameters, optimizer, { ...options, shards }, all, logCount, data, validationData);
  const { arena, training, validation } = built;
  readWeights(model, parameters.parameters, arena.floats('weights'));
  const arrangement = optimizerStates(options).arrangement;
  const [slots, outer] = [arena.floats('slots'), arena.floats('outerVelocity')];
  const shape = { slotsLength: slots.length, outerLength: outer.length, arrangement };
  const state = recallState(model, optimizer, shape);
  slots.set(state.slots);
  outer.set(state.outerVelocity);
  const setup: GroupSetup = {
    workers: options.workers,
    shards,
    memory: arena.memory,
    layout: arena.layout,
    parameters,
    rule: options.rule,
    ...(options.speeds && { speeds: options.speeds }),
    key: [options.seed % 2 ** 32, Math.floor(options.seed / 2 ** 32)],
    training,
    ...(validation && { validation }),
    logCount,
    trainingPrograms: programs.training,
    evaluationPrograms: programs.evaluation,
  };
  const counts = { updates: state.updates, batches: state.batches };
  const control = new Control(arena.ints('control'));
  return { setup, arena, control, parameters, optimizer, counts, arrangement, logNames, warnings };
}

/**
 * The model below a `Sequential`, which does the work for it.
 *
 * @throws TypeError if it is no compiled tfjs model.
 */
export function trainableModel(model: tf.LayersModel): tf.LayersModel {
  if (!(model instanceof tf.LayersModel)) {
    throw new TypeError(
      'model must be a tf.LayersModel or tf.Sequential of the same copy of @tensorflow/tfjs that shardfit uses: ' +
        "if it is one, there are two copies; 'npm ls @tensorflow/tfjs' shows them, 'npm dedupe' makes them one",
    );
  }
  if (!model.optimizer) {
    throw new TypeError('the model is not compiled: call model.compile({ optimizer, loss }) before fit');
  }
  return model instanceof tf.Sequential ? (model as unknown as { model: tf.LayersModel }).model : model;
}

async function readData(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  { validationData, validationSplit, sampleWeight, classWeight }: ResolvedOptions,
): Promise<[MatchedData, MatchedData | undefined]> {
  const data = await matchData(model, x, y, ['x', 'y', 'sampleWeight'], sampleWeight);
  // Classes have weights in training only, as in tfjs and Keras.
  const weighted = (training: MatchedData) => ({
    ...training,
    sampleWeights: weighClasses(model, training, classWeight),
  });
  if (validationData) {
    const [valX, valY, valWeight] = validationData as [TensorInput, TensorInput, SampleWeight?];
    const names: [string, string, string] = ['validationData[0]', 'validationData[1]', 'validationData[2]'];
    return [weighted(data), await matchData(model, valX, valY, names, valWeight)];
  }
  const [training, validation] = splitRows(data, validationSplit);
  return [weighted(training), validation];
}
