import * as tf from '@tensorflow/tfjs';
import { type Arena, allocate } from '../common/arena.js';
import { Control } from '../common/control.js';
import { sgd } from '../common/optimizers/index.js';
import { checkNames } from '../common/option-names.js';
import { layOutParameters } from '../common/parameters.js';
import type { ProgramOutput, StepProgram } from '../common/program.js';
import type { DataSet, EagerModel, Pass } from '../common/protocol.js';
import { batchCount, batchSizes } from '../common/shards.js';
import { compilePrediction } from '../compiler/index.js';
import { returnMemory } from './arena-memory.js';
import { usableModel } from './check-model.js';
import { tracedOrEager } from './compile-programs.js';
import type { Rows, TensorInput } from './data-in.js';
import { describeEager, eagerPrediction } from './eager-model.js';
import { matchFeatures, rowSpecs } from './match-data.js';
import { describeWeights, readWeights } from './model-weights.js';
import { type FitOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { type GroupSetup, ReplicaGroup } from './replica-group.js';
import { checkStatefulRows, isStateful } from './stateful.js';
import { stopWith } from './stop-with.js';
import { OWN_THREADS, type ThreadSource } from './threads.js';
import { buildArena, putRows } from './training-arena.js';

/** Options of `predict`. */
export interface PredictOptions
  extends Pick<FitOptions, 'batchSize' | 'workers' | 'engine' | 'modelModule' | 'onWarning'> {
  /** As tfjs has it; nothing is printed. */
  verbose?: boolean;
  /** Ends the prediction, which then rejects with its reason. */
  signal?: AbortSignal;
}

const OPTIONS = ['batchSize', 'workers', 'engine', 'modelModule', 'verbose', 'onWarning', 'signal'];

/**
 * The outputs of a model for rows, on every core: what tfjs' `model.predict` computes. Each batch is one thread's, so that the
 * result does not depend on their number. The model need not be compiled.
 *
 * @param x rows for the model's inputs, shape [n, ...input].
 * @returns [n, ...output]; a list of them for a model with several outputs. The caller disposes of them.
 * @throws TypeError or RangeError for data or options that do not fit, before any thread starts; the signal's reason.
 */
export async function predict(
  model: tf.LayersModel,
  x: TensorInput,
  options: PredictOptions = {},
): Promise<tf.Tensor | tf.Tensor[]> {
  return predictOn(OWN_THREADS, model, x, options);
}

/** As `predict`, on threads from `threads`. */
export async function predictOn(
  threads: ThreadSource,
  model: tf.LayersModel,
  x: TensorInput,
  options: PredictOptions,
): Promise<tf.Tensor | tf.Tensor[]> {
  checkNames('predict', options, OPTIONS);
  const { verbose: _, ...shared } = options;
  const resolved = resolveOptions(shared);
  const inner = usableModel(model);
  const features = await matchFeatures(inner, x, 'x');
  const { setup, arena, pass, outputs, results } = prepare(inner, features, resolved);
  const control = new Control(arena.ints('control'));
  const { signal } = resolved;
  try {
    using _ = stopWith(signal, control);
    await using group = new ReplicaGroup(setup, control, threads);
    await group.all((worker) => worker.load());
    await group.all((worker) => worker.predict(pass, outputs.features));
    signal?.throwIfAborted();
    const tensors = results.map(({ shape, dtype }, i) => {
      const values = arena.array(outputs.features[i]?.segment as string);
      // tfjs keeps the array it is given, and cannot be given shared memory.
      return tf.tensor(values.slice(), shape, dtype);
    });
    return tensors.length === 1 ? (tensors[0] as tf.Tensor) : tensors;
  } finally {
    returnMemory(arena.memory);
  }
}

interface PreparedPrediction {
  setup: GroupSetup;
  arena: Arena;
  pass: Pass;
  /** Where the outputs are put, as if they were features of other rows. */
  outputs: DataSet;
  results: Rows[];
}

function prepare(model: tf.LayersModel, features: Rows[], options: ResolvedOptions): PreparedPrediction {
  const rows = checkRows(model, features);
  const { batchSize } = options;
  checkStatefulRows(model, rows, batchSize, 'x');
  const sizes = batchSizes(rows, batchSize);
  const { programs, eager } = tracedOrEager<{ programs: StepProgram[]; eager?: EagerModel }>(
    options,
    () => ({ programs: sizes.map((size) => compilePrediction(model, size, rowSpecs(features))) }),
    (warnings, reason) => {
      for (const warning of warnings) options.onWarning?.(warning);
      const specs = { features: rowSpecs(features), targets: [] };
      return {
        programs: sizes.map((size) => eagerPrediction(model, size)),
        eager: describeEager(model, options.modelModule, specs, reason, false),
      };
    },
  );
  const [program] = programs as [StepProgram];
  const results = program.outputs.map((output) => resultOf(output, program.rows, rows));
  const parameters = layOutParameters(describeWeights(model, program));
  const data = { rows, features, targets: [], sampleWeights: [] };
  const rooms = [
    { name: 'prediction.rows', like: data, rows },
    { name: 'prediction.outputs', like: { ...data, rows, features: results }, rows },
  ];
  const space = { rooms, steps: 0, shuffledRows: 0 };
  const built = buildArena(parameters, sgd({ learningRate: 1 }), { ...options, shards: 1 }, programs, 0, space);
  const { arena } = built;
  const [dataSet, outputs] = built.dataSets as [DataSet, DataSet];
  putRows(arena, dataSet, data);
  readWeights(model, parameters.parameters, arena.floats('weights'));
  const setup: GroupSetup = {
    // States go from one batch to the next.
    ...{
      workers: isStateful(model) ? 1 : options.workers,
      shards: 1,
      split: 'rows',
      memory: arena.memory,
      layout: arena.layout,
      parameters,
    },
    ...{ rule: options.rule, key: [0, 0], logCount: 0 },
    programs: { training: [], evaluation: [], prediction: programs, constraint: [] },
    ...(eager && { eager }),
  };
  return { setup, arena, pass: { data: dataSet, batchSize, steps: batchCount(rows, batchSize) }, outputs, results };
}

/** Rows that an output of the whole data will have; no memory is taken for them here. */
function resultOf({ shape, dtype, role }: ProgramOutput, batchRows: number, rows: number): Rows {
  const [size, ...row] = shape;
  if (size !== batchRows) {
    throw new RangeError(
      `output ${role.kind === 'prediction' ? role.index : 0} of the model has the shape [${shape}] for a batch of ${batchRows} rows: ` +
        'its first axis must count the rows; use model.predict of tfjs',
    );
  }
  return { data: allocate(dtype, 0), shape: [rows, ...row], dtype };
}

function checkRows(model: tf.LayersModel, features: Rows[]): number {
  const rows = features[0]?.shape[0] ?? 0;
  features.forEach(({ shape }, i) => {
    if (shape[0] === rows) return;
    throw new RangeError(
      `x '${model.inputNames[i]}' has ${shape[0]} rows and '${model.inputNames[0]}' has ${rows}: all inputs need as many`,
    );
  });
  return rows;
}
