import type * as tf from '@tensorflow/tfjs';
import type { Arena } from '../common/arena.js';
import { Control } from '../common/control.js';
import { sgd } from '../common/optimizers/index.js';
import { layOutParameters } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import type { DataSet } from '../common/protocol.js';
import { batchSizes } from '../common/shards.js';
import { returnMemory } from './arena-memory.js';
import { type CompiledEvaluation, compileForEvaluation } from './compile-evaluation.js';
import { EpochLogs } from './epoch-logs.js';
import type { MatchedData } from './match-data.js';
import { describeWeights, readWeights } from './model-weights.js';
import type { ResolvedOptions } from './options.js';
import { type GroupSetup, ReplicaGroup } from './replica-group.js';
import type { RowSource } from './row-source.js';
import { stopWith } from './stop-with.js';
import type { ThreadSource } from './threads.js';
import { buildArena, type Room } from './training-arena.js';

/** All that an evaluation needs but its rows, compiled and in place. */
export interface PreparedEvaluation {
  setup: GroupSetup;
  arena: Arena;
  /** Where the rooms are. */
  dataSets: DataSet[];
  logNames: string[];
  compile: CompiledEvaluation['compile'];
}

/**
 * Compiles the steps of an evaluation and reserves its memory, which `runEvaluation` gives back.
 *
 * @param data the rows, or the first of them, in batches of `options.batchSize`.
 * @param rooms what rows are put into.
 * @param steps the most mini-batches that are evaluated in one go.
 */
export function prepareEvaluation(
  model: tf.LayersModel,
  data: MatchedData,
  options: ResolvedOptions,
  rooms: Room[],
  steps: number,
): PreparedEvaluation {
  const { programs, shards, compile, eager } = compileForEvaluation(model, options, data);
  const parameters = layOutParameters(describeWeights(model, programs[0] as StepProgram));
  const logNames = model.metricsNames;
  const logCount = logNames.length;
  const space = { rooms, steps, shuffledRows: 0 };
  const optimizer = sgd({ learningRate: 1 });
  const { arena, dataSets } = buildArena(parameters, optimizer, { ...options, shards }, programs, logCount, space);
  readWeights(model, parameters.parameters, arena.floats('weights'));
  const { workers, rule } = options;
  const setup: GroupSetup = {
    ...{
      workers,
      shards,
      split: 'rows',
      memory: arena.memory,
      layout: arena.layout,
      parameters,
      rule,
      key: [0, 0],
      logCount,
    },
    programs: { training: [], evaluation: programs, prediction: [], constraint: [] },
    ...(eager && { eager }),
  };
  return { setup, arena, dataSets, logNames, compile };
}

/**
 * Loss and metrics of all rows that `source` has, and of how many mini-batches. Gives the memory back.
 *
 * @throws the signal's reason, what the source throws.
 */
export async function runEvaluation(
  threads: ThreadSource,
  { setup, arena, logNames: names, compile }: PreparedEvaluation,
  source: RowSource,
  signal: AbortSignal | undefined,
): Promise<{ means: Record<string, number>; steps: number }> {
  const control = new Control(arena.ints('control'));
  try {
    using _ = stopWith(signal, control);
    await using group = new ReplicaGroup(setup, control, threads);
    await group.all((worker) => worker.load());
    const logs = new EpochLogs({ logs: arena.floats('logs'), names, shards: setup.shards, split: 'rows' });
    const known = setup.programs.evaluation;
    for await (const pass of source.epoch()) {
      for (const size of batchSizes(pass.data.rows, pass.batchSize)) {
        if (known.some(({ batchRows }) => batchRows === size)) continue;
        const programs = compile(size);
        known.push(...programs);
        await group.all((worker) => worker.add('evaluation', programs));
      }
      await group.all((worker) => worker.evaluate(pass));
      signal?.throwIfAborted();
      logs.begin(pass).advance(pass.steps);
    }
    return { means: logs.means(), steps: logs.steps };
  } finally {
    returnMemory(arena.memory);
  }
}
