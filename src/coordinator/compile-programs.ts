import type * as tf from '@tensorflow/tfjs';
import type { WeightCut } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import type { EagerModel } from '../common/protocol.js';
import { batchSizes, piece, type ShardCut, shardCuts, shardSizes } from '../common/shards.js';
import {
  type BatchStatistics,
  type CompilerOptions,
  compileConstraints,
  NotPartitionable,
  NotTraceable,
  StepCompiler,
  traceEvaluation,
  traceTraining,
} from '../compiler/index.js';
import { checkTrainsSomething } from './check-model.js';
import { describeEager, eagerConstraints, eagerProgram } from './eager-model.js';
import { type MatchedData, rowSpecs } from './match-data.js';
import type { ResolvedOptions } from './options.js';
import { planSplit, whyNotUnits } from './plan-split.js';

export interface CompiledPrograms {
  training: StepProgram[];
  evaluation: StepProgram[];
  constraint: StepProgram[];
  /** Pieces that mini-batches are cut into: one where the model does not allow more, or where more would be slower. */
  shards: number;
  /** Set where shards share units, not rows: which weights are cut. */
  cut?: WeightCut;
  workers: number;
  /** Whether it remains to be seen if fewer workers would be faster. */
  triesWorkers: boolean;
  /** What is not as was asked for, in sentences. */
  warnings: string[];
  /**
   * The programs for mini-batches of another size.
   *
   * @throws RangeError if those cannot be cut where the others were.
   */
  compile(work: 'training' | 'evaluation', batchRows: number): StepProgram[];
  /** Set where tfjs computes the steps. */
  eager?: EagerModel;
}

/**
 * Compiles the steps for every size that mini-batches and their shards have. A model whose mini-batches cannot be cut without
 * changing the result is given them whole, one worker at a time.
 */
export function compilePrograms(
  model: tf.LayersModel,
  options: ResolvedOptions,
  data: MatchedData,
  validation: { data: MatchedData; batchSize: number } | undefined,
): CompiledPrograms {
  checkTrainsSomething(model);
  return tracedOrEager(
    options,
    () => compileTraced(model, options, data, validation),
    (warnings, reason) => {
      try {
        return eagerPrograms(model, options, data, validation, warnings, reason);
      } catch (error) {
        // Told here: there will be no run to have them in its summary.
        for (const warning of warnings) options.onWarning?.(warning);
        throw error;
      }
    },
  );
}

/**
 * What `traced` makes; or what `eager` makes, where tfjs is asked for or the only way, which the warnings say.
 *
 * @throws TypeError that begins with what cannot be traced if tfjs cannot do it either.
 */
export function tracedOrEager<T>(
  { engine }: ResolvedOptions,
  traced: () => T,
  eager: (warnings: string[], reason?: string) => T,
): T {
  if (engine === 'tfjs') return eager([]);
  try {
    return traced();
  } catch (error) {
    if (!(error instanceof NotTraceable) || engine === 'onnx') throw error;
    const instead = `${error.reason}: tfjs computes the steps in the workers instead (engine 'tfjs'), which is much slower`;
    try {
      return eager([instead], error.reason);
    } catch (failure) {
      if (!(failure instanceof TypeError)) throw failure;
      throw new TypeError(`${error.reason}; ${error.remedy}. Otherwise ${failure.message}`, { cause: failure });
    }
  }
}

function eagerPrograms(
  model: tf.LayersModel,
  options: ResolvedOptions,
  data: MatchedData,
  validation: { data: MatchedData; batchSize: number } | undefined,
  warnings: string[],
  reason: string | undefined,
): CompiledPrograms {
  const { rule, batchStatistics, batchSize, modelModule, split } = options;
  if (split === 'units')
    throw new TypeError("split: 'units' does not go with engine 'tfjs', which cannot meet in the middle of a step");
  const whole = rule.kind === 'sync' && batchStatistics === 'batch';
  if (whole && options.shards > 1) {
    warnings.push(
      "engine 'tfjs' cannot exchange what the rows of a mini-batch have in common: mini-batches are not cut, and one worker " +
        "computes each of them alone; batchStatistics: 'shard' would cut them, each shard being a batch of its own",
    );
  }
  const shards = whole ? 1 : options.shards;
  const specs = { features: rowSpecs(data.features), targets: rowSpecs(data.targets) };
  const program = (cut: ShardCut) => eagerProgram(model, cut.rows, cut.batchRows);
  const programs = (rows: number, size: number) => shardCuts(rows, size, shards).map(program);
  return {
    training: programs(data.rows, batchSize),
    evaluation: validation ? programs(validation.data.rows, validation.batchSize) : [],
    constraint: eagerConstraints(model),
    shards,
    workers: options.workers,
    triesWorkers: options.triesWorkers,
    warnings,
    compile: (_, batchRows) => programs(batchRows, batchRows),
    eager: describeEager(model, modelModule, specs, reason),
  };
}

function compileTraced(
  model: tf.LayersModel,
  options: ResolvedOptions,
  data: MatchedData,
  validation: { data: MatchedData; batchSize: number } | undefined,
): CompiledPrograms {
  const constraint = compileConstraints(model);
  // What constraints read and write stands as it is in the model.
  const transposed = constraint.length > 0 ? undefined : 'auto';
  const compiler = compilerOf(traceTraining, model, data, options, { transposed });
  const batchRows = Math.min(options.batchSize, data.rows);
  const plan = planSplit(compiler, options, batchRows, whyNotUnits(model, options, constraint));
  const { cut, workers, triesWorkers } = plan;
  const compiledRows = options.rule.kind === 'sync' ? batchRows : piece(batchRows, plan.shards, 0).count;
  const compilers = {
    training: compiler,
    evaluation: compilerOf(traceEvaluation, model, validation?.data ?? data, options, {
      cut,
      transposed: compiler.transposedWeights(compiledRows),
    }),
  };
  const evaluationOptions = { ...options, batchSize: validation?.batchSize ?? options.batchSize };
  const compile = (shards: number): Omit<CompiledPrograms, 'constraint' | 'warnings'> => ({
    training: cut
      ? compileUnits(compiler, batchSizes(data.rows, options.batchSize), cut)
      : compileTraining(compiler, options, data.rows, shards),
    evaluation: validation
      ? compileEvaluation(compilers.evaluation, evaluationOptions, validation.data.rows, shards)
      : [],
    shards,
    ...(cut && { cut }),
    workers,
    triesWorkers,
    compile: (work: 'training' | 'evaluation', batchRows: number) => {
      const own = { ...options, batchSize: batchRows };
      const remedy = cut ? "train with split: 'rows'" : "train with shards: 1 or batchStatistics: 'shard'";
      return orSayWhich(batchRows, shards, remedy, () => {
        if (work === 'evaluation') return compileEvaluation(compilers.evaluation, own, batchRows, shards);
        return cut ? compileUnits(compiler, [batchRows], cut) : compileTraining(compiler, own, batchRows, shards);
      });
    },
  });
  try {
    return { ...compile(plan.shards), constraint, warnings: [] };
  } catch (error) {
    if (!isOfCut(error)) throw error;
    // Its evaluation has no units to share, and may not have its rows cut.
    if (cut && options.split === 'auto') return compileTraced(model, { ...options, split: 'rows' }, data, validation);
    if (cut)
      throw new TypeError(
        `split: 'units' does not go with this model in ${cut.shards} shards: ${error.message}; use split: 'rows'`,
      );
    const warning =
      `${error.message}: mini-batches are not cut, and one worker computes each of them alone; ` +
      `batchStatistics: 'shard' would cut them, each shard being a batch of its own`;
    return { ...compile(1), constraint, warnings: [warning] };
  }
}

/** Thrown where mini-batches of one size share units otherwise than those of another. */
class OtherUnits extends Error {
  override name = 'OtherUnits';
}

/** Whether a step cannot be cut as it should be. */
function isOfCut(error: unknown): error is Error {
  return error instanceof NotPartitionable || error instanceof OtherUnits;
}

/** The programs of shards of units for mini-batches of several sizes, all of which must cut the same weights. */
function compileUnits(compiler: StepCompiler, sizes: readonly number[], cut: WeightCut): StepProgram[] {
  return sizes.map((rows) => {
    const step = compiler.compileUnits(rows, cut.shards);
    if (JSON.stringify([...step.cut.axes].sort()) !== JSON.stringify([...cut.axes].sort())) {
      throw new OtherUnits(`mini-batches of ${rows} rows cut other weights than those of other sizes`);
    }
    return step.program();
  });
}

/** Mini-batches of the first size could be cut: it is too late to leave these whole. */
export function orSayWhich<T>(batchRows: number, shards: number, remedy: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!isOfCut(error)) throw error;
    throw new RangeError(
      `a mini-batch of ${batchRows} rows cannot be cut into ${shards} shards, as larger ones were: ${error.message}; ` +
        `give batches of one size, or ${remedy}`,
      { cause: error },
    );
  }
}

function compileTraining(compiler: StepCompiler, options: ResolvedOptions, rows: number, shards: number) {
  const { batchSize, rule, batchStatistics } = options;
  if (rule.kind === 'sync') return compileCuts(compiler, shardCuts(rows, batchSize, shards), batchStatistics);
  // Each shard is a batch of its own.
  return shardSizes(rows, batchSize, shards).map((size) => compiler.compile(size));
}

/** The programs of an evaluation; one shard's statistics where those of the mini-batch were not asked for and cannot be had. */
export function compileEvaluation(compiler: StepCompiler, options: ResolvedOptions, rows: number, shards: number) {
  const cuts = shardCuts(rows, options.batchSize, shards);
  try {
    return compileCuts(compiler, cuts, 'batch');
  } catch (error) {
    if (!(error instanceof NotPartitionable) || options.batchStatistics === 'batch') throw error;
    return compileCuts(compiler, cuts, 'shard');
  }
}

/** @throws NotPartitionable also if shards of one mini-batch would wait for different things of each other. */
function compileCuts(compiler: StepCompiler, cuts: ShardCut[], statistics: BatchStatistics): StepProgram[] {
  const programs = cuts.map(({ rows, batchRows }) => compiler.compile(rows, { batchRows, statistics }));
  for (const { batchRows, exchanges } of programs) {
    const other = programs.find((program) => program.batchRows === batchRows);
    if (JSON.stringify(other?.exchanges) !== JSON.stringify(exchanges)) {
      throw new NotPartitionable('has shards of different sizes exchange different values');
    }
  }
  return programs;
}

/** @param layout weights that stand in pieces, or transposed. Insisting on ONNX Runtime leaves out tapes and loops. */
export function compilerOf(
  trace: typeof traceTraining,
  model: tf.LayersModel,
  data: MatchedData,
  { engine }: ResolvedOptions,
  layout: Pick<CompilerOptions, 'cut' | 'transposed'> = {},
): StepCompiler {
  const [features, targets] = [rowSpecs(data.features), rowSpecs(data.targets)];
  const sampleWeights = data.sampleWeights.map((weights) => weights !== undefined);
  return new StepCompiler(
    trace,
    model,
    { features, targets, sampleWeights },
    {
      tapes: engine !== 'onnx',
      loops: engine === 'onnx' ? undefined : 'large',
      ...layout,
    },
  );
}
