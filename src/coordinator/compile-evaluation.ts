import type * as tf from '@tensorflow/tfjs';
import type { StepProgram } from '../common/program.js';
import type { EagerModel } from '../common/protocol.js';
import { shardCuts } from '../common/shards.js';
import { NotPartitionable, traceEvaluation } from '../compiler/index.js';
import { compileEvaluation, compilerOf, orSayWhich, tracedOrEager } from './compile-programs.js';
import { describeEager, eagerProgram } from './eager-model.js';
import { type MatchedData, rowSpecs } from './match-data.js';
import type { ResolvedOptions } from './options.js';

export interface CompiledEvaluation {
  programs: StepProgram[];
  /** Pieces that mini-batches are cut into: fewer than asked for where the model does not allow it. */
  shards: number;
  /**
   * The programs for mini-batches of another size.
   *
   * @throws RangeError if those cannot be cut where the others were.
   */
  compile(batchRows: number): StepProgram[];
  /** Set where tfjs computes the steps. */
  eager?: EagerModel;
}

/** Compiles the steps of an evaluation alone; see `compilePrograms`. */
export function compileForEvaluation(
  model: tf.LayersModel,
  options: ResolvedOptions,
  data: MatchedData,
): CompiledEvaluation {
  return tracedOrEager<CompiledEvaluation>(
    options,
    () => traceForEvaluation(model, options, data),
    (warnings, reason) => {
      for (const warning of warnings) options.onWarning?.(warning);
      return eagerEvaluation(model, options, data, reason);
    },
  );
}

function eagerEvaluation(
  model: tf.LayersModel,
  options: ResolvedOptions,
  data: MatchedData,
  reason: string | undefined,
): CompiledEvaluation {
  const compile = (rows: number, size = rows) =>
    shardCuts(rows, size, 1).map((cut) => eagerProgram(model, cut.rows, cut.batchRows));
  const specs = { features: rowSpecs(data.features), targets: rowSpecs(data.targets) };
  return {
    programs: compile(data.rows, options.batchSize),
    shards: 1,
    compile,
    eager: describeEager(model, options.modelModule, specs, reason),
  };
}

function traceForEvaluation(model: tf.LayersModel, options: ResolvedOptions, data: MatchedData): CompiledEvaluation {
  const compiler = compilerOf(traceEvaluation, model, data, options);
  const compileFor = (shards: number): CompiledEvaluation => ({
    programs: compileEvaluation(compiler, options, data.rows, shards),
    shards,
    compile: (rows) =>
      orSayWhich(rows, shards, 'evaluate with shards: 1', () =>
        compileEvaluation(compiler, { ...options, batchSize: rows }, rows, shards),
      ),
  });
  try {
    return compileFor(options.shards);
  } catch (error) {
    if (!(error instanceof NotPartitionable)) throw error;
    options.onWarning?.(`${error.message}: mini-batches are not cut, and one worker computes each of them alone`);
    return compileFor(1);
  }
}
