import type * as tf from '@tensorflow/tfjs';
import type { Arena } from '../common/arena.js';
import { Control } from '../common/control.js';
import { writeNonTemporalCopy } from '../common/non-temporal-copy.js';
import type { Optimizer } from '../common/optimizers/index.js';
import { layOutParameters } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import type { DataSet } from '../common/protocol.js';
import { batchCount } from '../common/shards.js';
import { whyNotPushed } from '../common/transport.js';
import { type CompiledPrograms, compilePrograms } from './compile-programs.js';
import type { TensorInput } from './data-in.js';
import { firstBatches } from './first-batches.js';
import { type MatchedData, matchData } from './match-data.js';
import { describeWeights, readWeights, type WeightList, withPresentWeights } from './model-weights.js';
import { describeCompiled, type OptimizerState, recallState } from './optimizer-state.js';
import type { ResolvedOptions } from './options.js';
import { type Layouts, toArena } from './parameter-layouts.js';
import type { GroupSetup } from './replica-group.js';
import { ArenaRows, type RowSource } from './row-source.js';
import { type SampleWeight, weighClasses } from './sample-weights.js';
import { checkNotCut, checkStatefulRows } from './stateful.js';
import { buildArena, optimizerStates, putRows, type Room } from './training-arena.js';
import { splitRows } from './validation-split.js';

/** All that training needs, checked, compiled and in place: what is left is to start threads. */
export interface PreparedFit extends PreparedGroup {
  training: RowSource;
  validation: RowSource | undefined;
}

/** What does not depend on where rows come from. */
export interface PreparedGroup {
  setup: GroupSetup;
  arena: Arena;
  control: Control;
  layouts: Layouts;
  /** The model's weights as `layouts` counts them. */
  weights: WeightList;
  /** Described as it was at the start: what there is room for. */
  optimizer: Optimizer;
  /** Updates and mini-batches of earlier fits, with which the optimizer goes on. */
  counts: Pick<OptimizerState, 'updates' | 'batches'>;
  /** See `OptimizerState`. */
  arrangement: string;
  /** Names of loss and metrics, as in `History`. */
  logNames: string[];
  /** See `CompiledPrograms`. */
  triesWorkers: boolean;
  /** What is not as was asked for. */
  warnings: string[];
  compile: CompiledPrograms['compile'];
}

/** @throws TypeError or RangeError for anything about the model or the data that cannot be trained. */
export async function prepareFit(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: ResolvedOptions,
): Promise<PreparedFit> {
  const { batchSize, stepsPerEpoch } = options;
  const optimizer = options.optimizer ?? describeCompiled(model.optimizer);
  const [data, allValidation] = await readData(model, x, y, options);
  const validationData = validated(allValidation, options);
  checkStatefulRows(model, data.rows, batchSize, 'x');
  if (validationData) checkStatefulRows(model, validationData.rows, batchSize, 'the rows for validation');
  const steps = batchCount(data.rows, batchSize);
  if (stepsPerEpoch !== undefined && stepsPerEpoch > steps) {
    throw new RangeError(`stepsPerEpoch must be at most ${steps}, the mini-batches of the data, got ${stepsPerEpoch}`);
  }
  const programs = compilePrograms(model, options, data, validationData && { data: validationData, batchSize });
  checkNotCut(model, programs.shards);
  const rooms: Room[] = [{ name: 'training', like: data, rows: data.rows }];
  if (validationData) rooms.push({ name: 'validation', like: validationData, rows: validationData.rows });
  const mostSteps = Math.max(steps, batchCount(validationData?.rows ?? 0, batchSize));
  const space = { rooms, steps: mostSteps, shuffledRows: data.rows };
  const { dataSets, ...prepared } = prepareGroup(model, optimizer, options, programs, space);
  const [training, validation] = dataSets as [DataSet, DataSet?];
  putRows(prepared.arena, training, data);
  if (validation && validationData) putRows(prepared.arena, validation, validationData);
  return {
    ...prepared,
    training: new ArenaRows(training, batchSize, stepsPerEpoch),
    validation: validation && new ArenaRows(validation, batchSize),
  };
}

/** Reserves memory, puts the weights and the optimizer's state into it and describes the workers. */
export function prepareGroup(
  model: tf.LayersModel,
  optimizer: Optimizer,
  options: ResolvedOptions,
  { training, evaluation, constraint, shards, cut, workers, triesWorkers, warnings, compile, eager }: CompiledPrograms,
  space: { rooms: Room[]; steps: number; shuffledRows: number },
): PreparedGroup & { dataSets: DataSet[] } {
  const described = describeWeights(model, training[0] as StepProgram);
  const whole = layOutParameters(described.map(({ transposed: _, ...weight }) => weight));
  const isAsInModel = !cut && described.every(({ transposed }) => !transposed);
  const parameters = isAsInModel ? whole : layOutParameters(described, cut);
  const layouts = { arena: parameters, whole };
  const split = cut ? 'units' : 'rows';
  const logNames = model.metricsNames;
  const all = [...training, ...evaluation];
  const planned = { ...options, shards, split, workers } as const;
  const built = buildArena(parameters, optimizer, planned, all, logNames.length, space);
  const { arena, dataSets } = built;
  const isAsked = options.transport === 'push' && workers > 1;
  const push = preparePush(arena, isAsked, whyNotPushed(parameters, planned, optimizer));
  readWeights(model, parameters.parameters, arena.floats('weights'));
  const { arrangement } = optimizerStates(options);
  const [slots, outer] = [arena.floats('slots'), arena.floats('outerVelocity')];
  const state = recallState(model, optimizer, {
    slotsLength: (slots.length / parameters.trainedEnd) * whole.trainedEnd,
    outerLength: outer.length,
    arrangement,
  });
  slots.set(toArena(state.slots, layouts));
  outer.set(toArena(state.outerVelocity, layouts));
  const setup: GroupSetup = {
    workers,
    shards,
    split,
    ...(push && { push }),
    memory: arena.memory,
    layout: arena.layout,
    parameters,
    rule: options.rule,
    ...(options.speeds && { speeds: options.speeds }),
    key: [options.seed % 2 ** 32, Math.floor(options.seed / 2 ** 32)],
    logCount: logNames.length,
    programs: { training, evaluation, prediction: [], constraint },
    ...(eager && { eager }),
  };
  const counts = { updates: state.updates, batches: state.batches };
  const control = new Control(arena.ints('control'));
  return {
    ...{
      setup,
      arena,
      dataSets,
      control,
      layouts,
      optimizer,
      counts,
      arrangement,
      triesWorkers,
      logNames,
      warnings,
    },
    weights: { weights: model.weights },
    compile: withPresentWeights(model, compile),
  };
}

/** @throws RangeError if several workers are to push gradients and cannot. */
function preparePush(arena: Arena, isAsked: boolean, why: string | undefined): GroupSetup['push'] {
  const address = arena.segment('pushed').length > 0 ? writeNonTemporalCopy() : undefined;
  if (address !== undefined) return { address, always: isAsked };
  if (!isAsked) return undefined;
  const otherwise = 'finds no room for a second copy of all gradients, or the system allows no page of instructions';
  throw new RangeError(`transport: 'push' ${why ?? otherwise}; or leave transport out`);
}

/** @throws TypeError or RangeError if `validationSteps` asks for more mini-batches than there are. */
function validated(data: MatchedData | undefined, { batchSize, validationSteps }: ResolvedOptions) {
  if (data) return firstBatches(data, batchSize, validationSteps, 'validationSteps');
  if (validationSteps === undefined) return undefined;
  throw new TypeError(
    `validationSteps is ${validationSteps}, but nothing to validate on: give validationData or validationSplit`,
  );
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
