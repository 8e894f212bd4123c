import type * as tf from '@tensorflow/tfjs';
import type { Arena } from '../common/arena.js';
import { Control } from '../common/control.js';
import { didYouMean } from '../common/nearest-name.js';
import { sgd } from '../common/optimizers/index.js';
import { layOutParameters } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import { batchCount } from '../common/shards.js';
import { returnMemory } from './arena-memory.js';
import { compileForEvaluation } from './compile-programs.js';
import type { TensorInput } from './data-in.js';
import { EpochLogs } from './epoch-logs.js';
import { matchData } from './match-data.js';
import { describeWeights, readWeights } from './model-weights.js';
import { type FitOptions, resolveOptions } from './options.js';
import { trainableModel } from './prepare.js';
import { type GroupSetup, ReplicaGroup } from './replica-group.js';
import type { SampleWeight } from './sample-weights.js';
import { rowsFrom } from './split.js';
import { buildArena } from './training-arena.js';

/** Options of `evaluate`. */
export interface EvaluateOptions extends Pick<FitOptions, 'batchSize' | 'workers' | 'shards'> {
  /** What rows count in the loss; see `fit`. */
  sampleWeight?: SampleWeight;
}

interface PreparedEvaluation {
  setup: GroupSetup;
  arena: Arena;
  control: Control;
  logNames: string[];
}

/**
 * Loss and metrics of a compiled model, on every core: what tfjs' `model.evaluate` computes, as numbers by name. As there, they
 * are means over mini-batches weighted by rows, and the loss leaves out regularizers.
 *
 * @param x rows for the model's inputs, shape [n, ...input].
 * @param y rows for the model's outputs, shape [n, ...output].
 * @returns `{ loss, acc, ... }` by the names of `History`.
 * @throws TypeError or RangeError for a model, data or options that cannot be evaluated, before any thread starts.
 */
export async function evaluate(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: EvaluateOptions = {},
): Promise<Record<string, number>> {
  checkNames(options);
  const { sampleWeight, ...shared } = options;
  const resolved = resolveOptions(shared);
  const { setup, arena, control, logNames } = await prepare(trainableModel(model), x, y, resolved, sampleWeight);
  try {
    await using group = new ReplicaGroup(setup, control);
    await group.all((worker) => worker.load());
    await group.all((worker) => worker.evaluate(resolved.batchSize));
    const rows = setup.validation?.rows ?? 0;
    const { batchSize } = resolved;
    const logs = new EpochLogs({ logs: arena.floats('logs'), names: logNames, rows, batchSize, shards: setup.shards });
    return logs.advance(batchCount(rows, batchSize)).means();
  } finally {
    returnMemory(arena.memory);
  }
}

/** As for a training without rows, with the data in the place of the validation set. */
async function prepare(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  options: ReturnType<typeof resolveOptions>,
  sampleWeight: SampleWeight | undefined,
): Promise<PreparedEvaluation> {
  const data = await matchData(model, x, y, ['x', 'y', 'sampleWeight'], sampleWeight);
  const { programs, shards } = compileForEvaluation(model, options, data);
  const parameters = layOutParameters(describeWeights(model, programs[0] as StepProgram));
  const logNames = model.metricsNames;
  const resolved = { ...options, shards };
  const optimizer = sgd({ learningRate: 1 });
  const nothing = rowsFrom(data, 0, 0);
  const built = buildArena(parameters, optimizer, resolved, programs, logNames.length, nothing, data);
  const { arena, training, validation } = built;
  readWeights(model, parameters.parameters, arena.floats('weights'));
  const setup: GroupSetup = {
    ...{ workers: options.workers, shards, memory: arena.memory, layout: arena.layout, parameters, rule: options.rule },
    ...{ key: [0, 0], training, logCount: logNames.length, trainingPrograms: [], evaluationPrograms: programs },
    ...(validation && { validation }),
  };
  return { setup, arena, control: new Control(arena.ints('control')), logNames };
}

const OPTIONS = ['batchSize', 'workers', 'shards', 'sampleWeight'];

function checkNames(options: EvaluateOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, got ${String(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown === undefined) return;
  const hint = didYouMean(unknown, OPTIONS) || `; it has ${OPTIONS.join(', ')}`;
  throw new TypeError(`evaluate has no option '${unknown}'${hint}`);
}
