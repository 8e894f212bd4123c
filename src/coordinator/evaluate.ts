import type * as tf from '@tensorflow/tfjs';
import type { Arena } from '../common/arena.js';
import { Control } from '../common/control.js';
import { sgd } from '../common/optimizers/index.js';
import { checkNames } from '../common/option-names.js';
import { layOutParameters } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import type { DataSet, Pass } from '../common/protocol.js';
import { batchCount } from '../common/shards.js';
import { returnMemory } from './arena-memory.js';
import { trainableModel } from './check-model.js';
import { compileForEvaluation } from './compile-programs.js';
import type { TensorInput } from './data-in.js';
import { EpochLogs } from './epoch-logs.js';
import { firstBatches } from './first-batches.js';
import { matchData } from './match-data.js';
import { describeWeights, readWeights } from './model-weights.js';
import { type FitOptions, resolveOptions } from './options.js';
import { type GroupSetup, ReplicaGroup } from './replica-group.js';
import type { SampleWeight } from './sample-weights.js';
import { checkStatefulRows } from './stateful.js';
import { stopWith } from './stop-with.js';
import { OWN_THREADS, type ThreadSource } from './threads.js';
import { buildArena, putRows } from './training-arena.js';

/** Options of `evaluate`. */
export interface EvaluateOptions
  extends Pick<FitOptions, 'batchSize' | 'workers' | 'shards' | 'engine' | 'modelModule' | 'onWarning'> {
  /** What rows count in the loss; see `fit`. */
  sampleWeight?: SampleWeight;
  /** Mini-batches, the first ones, that are evaluated. Default: all. */
  steps?: number;
  /** As in `fit`: nothing is printed. */
  verbose?: 0 | 1 | 2;
  /** Ends the evaluation, which then rejects with its reason. */
  signal?: AbortSignal;
}

const OPTIONS = [
  ...['batchSize', 'workers', 'shards', 'engine', 'modelModule', 'sampleWeight', 'steps', 'verbose', 'onWarning'],
  'signal',
];

interface PreparedEvaluation {
  setup: GroupSetup;
  arena: Arena;
  control: Control;
  pass: Pass;
  logNames: string[];
}

/**
 * Loss and metrics of a compiled model, on every core: what tfjs' `model.evaluate` computes, as numbers by name. As there, they
 * are means over mini-batches weighted by rows, and the loss leaves out regularizers.
 *
 * @param x rows for the model's inputs, shape [n, ...input].
 * @param y rows for the model's outputs, shape [n, ...output].
 * @returns `{ loss, acc, ... }` by the names of `History`.
 * @throws TypeError or RangeError for a model, data or options that cannot be evaluated, before any thread starts; the signal's reason.
 */
export async function evaluate(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: EvaluateOptions = {},
): Promise<Record<string, number>> {
  return evaluateOn(OWN_THREADS, model, x, y, options);
}

/** As `evaluate`, on threads from `threads`. */
export async function evaluateOn(
  threads: ThreadSource,
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: EvaluateOptions,
): Promise<Record<string, number>> {
  checkNames('evaluate', options, OPTIONS);
  const { sampleWeight, steps, ...shared } = options;
  const resolved = resolveOptions(shared);
  const prepared = await prepare(trainableModel(model), x, y, resolved, { sampleWeight, steps });
  const { setup, arena, control, pass, logNames: names } = prepared;
  const { signal } = resolved;
  try {
    using _ = stopWith(signal, control);
    await using group = new ReplicaGroup(setup, control, threads);
    await group.all((worker) => worker.load());
    await group.all((worker) => worker.evaluate(pass));
    signal?.throwIfAborted();
    const logs = new EpochLogs({ logs: arena.floats('logs'), names, shards: setup.shards });
    return logs.begin(pass).advance(pass.steps).means();
  } finally {
    returnMemory(arena.memory);
  }
}

async function prepare(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: ReturnType<typeof resolveOptions>,
  { sampleWeight, steps: wanted }: Pick<EvaluateOptions, 'sampleWeight' | 'steps'>,
): Promise<PreparedEvaluation> {
  const all = await matchData(model, x, y, ['x', 'y', 'sampleWeight'], sampleWeight);
  checkStatefulRows(model, all.rows, options.batchSize, 'x');
  const data = firstBatches(all, options.batchSize, wanted, 'steps');
  const { programs, shards, eager } = compileForEvaluation(model, options, data);
  const parameters = layOutParameters(describeWeights(model, programs[0] as StepProgram));
  const logNames = model.metricsNames;
  const resolved = { ...options, shards };
  const optimizer = sgd({ learningRate: 1 });
  const steps = batchCount(data.rows, options.batchSize);
  const space = { rooms: [{ name: 'evaluation', like: data, rows: data.rows }], steps, shuffledRows: 0 };
  const { arena, dataSets } = buildArena(parameters, optimizer, resolved, programs, logNames.length, space);
  const [rows] = dataSets as [DataSet];
  putRows(arena, rows, data);
  readWeights(model, parameters.parameters, arena.floats('weights'));
  const setup: GroupSetup = {
    ...{ workers: options.workers, shards, memory: arena.memory, layout: arena.layout, parameters, rule: options.rule },
    ...{
      key: [0, 0],
      logCount: logNames.length,
      programs: { training: [], evaluation: programs, prediction: [], constraint: [] },
    },
    ...(eager && { eager }),
  };
  const pass = { data: rows, batchSize: options.batchSize, steps };
  return { setup, arena, control: new Control(arena.ints('control')), pass, logNames };
}
