/** From a compiled tfjs model to the programs that workers run. */
import type * as tf from '@tensorflow/tfjs';
import { otherAxis, type WeightCut } from '../common/parameters.js';
import type { InputRole, StepProgram, TensorSpec } from '../common/program.js';
import { encodeProgram } from './encode-program.js';
import { expectedTime, expectedUnitTime, type StepSize } from './expected-time.js';
import { mul } from './graph/elementwise.js';
import { lowerGraph } from './graph/lower.js';
import { sizeOf } from './graph/shapes.js';
import { topologicalOrder, type Value } from './graph/value.js';
import type { LoopChoice } from './loops/find-loops.js';
import type { Lowered } from './lowered.js';
import { NotPartitionable } from './partition/pairs.js';
import { partition } from './partition/partition.js';
import type { BatchStatistics, Cut } from './partition/shard-program.js';
import { partitionUnits } from './partition/units/partition-units.js';
import { SHARD } from './partition/units/unit-program.js';
import { withOwnPiece, withPieces } from './partition/units/weight-pieces.js';
import type { DataSpecs } from './trace/step-trace.js';
import { type TracedStep, traceConstraints, traceEvaluation, tracePrediction, traceTraining } from './trace/steps.js';
import { transposableWeights, withTransposed } from './transposed-weights.js';

/** What a program is a part of. */
export interface Part {
  /** Rows of the mini-batch. Default: those of the program, which is then all of the step. */
  batchRows?: number;
  /**
   * What a value over all rows of a batch is: that of the mini-batch, for which shards meet, or that of the shard alone, as in
   * ghost batch norm (Hoffer et al., "Train longer, generalize better", 2017). Default 'batch'.
   */
  statistics?: BatchStatistics;
}

/**
 * Compiles forward pass, loss, metrics and gradients for `rows` rows.
 *
 * @param model a compiled tfjs model; unchanged afterwards, and so is tfjs' state
 * @param features per-row shapes and types of the model's inputs, without the batch axis
 * @param targets the same of the targets
 * @param sampleWeights which outputs have weights for their rows. As in tfjs, the loss of an output is then the sum of
 * weight times loss of each row, over the number of rows; metrics are not weighted
 * @throws Error if the model is not compiled, or if the step cannot be traced (see the message)
 */
export function compileTrainingStep(
  model: tf.LayersModel,
  rows: number,
  features: TensorSpec[],
  targets: TensorSpec[],
  sampleWeights: readonly boolean[] = [],
  part: Part = {},
): StepProgram {
  return new StepCompiler(traceTraining, model, { features, targets, sampleWeights }).compile(rows, part);
}

/** Compiles forward pass, loss and metrics with `training: false`. As in tfjs, the loss leaves out regularizers. */
export function compileEvaluationStep(
  model: tf.LayersModel,
  rows: number,
  features: TensorSpec[],
  targets: TensorSpec[],
  sampleWeights: readonly boolean[] = [],
  part: Part = {},
): StepProgram {
  return new StepCompiler(traceEvaluation, model, { features, targets, sampleWeights }).compile(rows, part);
}

/** Compiles the forward pass alone for `rows` rows, of a model that need not be compiled. */
export function compilePrediction(model: tf.LayersModel, rows: number, features: TensorSpec[]): StepProgram {
  return new StepCompiler(() => tracePrediction(model, rows, features), model, {
    features,
    targets: [],
    sampleWeights: [],
  }).compile(rows);
}

/** A program for each trained weight that has a constraint: the weight as it must be after an update. */
export function compileConstraints(model: tf.LayersModel): StepProgram[] {
  const { roles, outputs } = lower(traceConstraints(model));
  return outputs.map((output) =>
    encodeProgram({ roles, outputs: [output] }, [output.value], { rows: 1, batchRows: 1 }),
  );
}

/** A step cut along the units of its layers. */
export interface UnitStep {
  /** Compiles it: the same program for every shard, which reads its own pieces. */
  program(): StepProgram;
  /** Weights of which each shard has a piece. */
  cut: WeightCut;
  /** What an update is expected to take with a worker for each shard, in nanoseconds. */
  expectedTime: number;
}

export interface CompilerOptions {
  /** Whether small steps get tapes too; default true. Tapes read weights that are whole. */
  tapes?: boolean;
  /** Which operations on every element are done by loops (see `loops/loopable`). Default: none. */
  loops?: LoopChoice | undefined;
  /** Weights that stand in pieces: the programs put them together. */
  cut?: WeightCut | undefined;
  /** Weights that stand transposed, by their indices, or 'auto' for those that are worth it, as in a training. Default: none. */
  transposed?: ReadonlySet<number> | 'auto' | undefined;
}

/**
 * Numbers of rows that are traced beside that of a mini-batch: small ones, which is fast. Two of them, since with one the step may be another by
 * chance: three times the mean of three rows is their sum.
 */
const OTHER_ROWS = [3, 5, 7];

/** Compiles one model's step for mini-batches and shards of several sizes; every number of rows is traced once. */
export class StepCompiler {
  readonly #trace: (rows: number) => TracedStep;
  readonly #lowered = new Map<number, Lowered>();

  readonly #tapes: boolean;
  readonly #loops: LoopChoice | undefined;
  readonly #cut: WeightCut | undefined;
  readonly #toTranspose: ReadonlySet<number> | 'auto';
  #transposed: ReadonlySet<number> | undefined;

  /**
   * @param trace `traceTraining` or `traceEvaluation`
   */
  constructor(
    trace: typeof traceTraining,
    model: tf.LayersModel,
    data: Omit<DataSpecs, 'rows'>,
    { tapes = true, loops, cut, transposed = new Set() }: CompilerOptions = {},
  ) {
    this.#trace = (rows) => trace(model, { ...data, rows });
    this.#tapes = tapes && !cut;
    this.#loops = loops;
    this.#cut = cut;
    this.#toTranspose = transposed;
  }

  /**
   * The program of a shard of `rows` rows.
   *
   * @throws NotPartitionable if it is a part of a mini-batch that cannot be cut.
   */
  compile(rows: number, { batchRows = rows, statistics = 'batch' }: Part = {}): StepProgram {
    if (!Number.isInteger(rows) || rows < 1) throw new RangeError(`rows must be a positive integer, got ${rows}`);
    const whole = this.#lower(batchRows);
    const values = whole.outputs.map(({ value }) => value);
    if (rows === batchRows) return this.#encode(whole, values, rows, rows);
    const cut = { rows, batchRows, statistics };
    try {
      return this.#encode(whole, this.#partition(values, cut), rows, batchRows);
    } catch (error) {
      if (!(error instanceof NotPartitionable) || statistics === 'batch') throw error;
      return this.#ownBatch(cut);
    }
  }

  /** The values of a whole mini-batch as those of one of its shards. What depends on the rows shows beside another number of them. */
  #partition(values: Value[], cut: Cut): Value[] {
    let failure: NotPartitionable | undefined;
    for (const otherRows of OTHER_ROWS.filter((rows) => rows !== cut.batchRows).slice(0, 2)) {
      try {
        return partition(values, this.#lowerOther(otherRows), otherRows, cut);
      } catch (error) {
        if (!(error instanceof NotPartitionable)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  /**
   * The step of a shard that has units of the layers, for all rows of a mini-batch.
   *
   * @throws NotPartitionable if the layers cannot be cut.
   */
  compileUnits(rows: number, shards: number): UnitStep {
    const whole = this.#lower(rows);
    const { outputs: values, cut } = partitionUnits(whole.outputs, whole.roles, shards);
    const axes = cut.weights;
    const transposed = this.transposedWeights(rows);
    const inModel = new Map([...axes].map(([index, axis]) => [index, transposed.has(index) ? otherAxis(axis) : axis]));
    const roles = new Map<string, InputRole>();
    for (const [name, role] of whole.roles) roles.set(name, withOwnPiece(role, axes, cut.axisOf(name)));
    roles.set(SHARD, { kind: 'shard' });
    const outputs = whole.outputs.map(({ role, value }) => ({ role: withOwnPiece(role, axes), value }));
    const program = (): StepProgram => {
      const { tape: _, ...ofShard } = encodeProgram({ roles, outputs }, values, { rows, batchRows: rows });
      return { ...ofShard, unitShards: shards };
    };
    return {
      program,
      cut: { shards, axes: inModel },
      expectedTime: expectedUnitTime(topologicalOrder(values), sizeOfStep(whole), shards),
    };
  }

  /** Weights that stand transposed, the same in the programs of all numbers of rows: found in that for `rows`, if none is known yet. */
  transposedWeights(rows: number): ReadonlySet<number> {
    if (!this.#transposed) this.#lower(rows);
    return this.#transposed as ReadonlySet<number>;
  }

  /** What an update with mini-batches of so many rows is expected to take with so many workers, in nanoseconds. */
  expectedTime(batchRows: number, workers: number): number {
    const whole = this.#lower(batchRows);
    const order = topologicalOrder(whole.outputs.map(({ value }) => value));
    return expectedTime(order, sizeOfStep(whole), workers);
  }

  /** The step of a shard as if it were a mini-batch, times its share of the real one. */
  #ownBatch({ rows, batchRows }: Cut): StepProgram {
    const own = this.#lower(rows);
    const values = own.outputs.map(({ value }) => mul(value, value.graph.splat(rows / batchRows, [])));
    return this.#encode(own, values, rows, batchRows);
  }

  #encode(lowered: Lowered, values: Value[], rows: number, batchRows: number): StepProgram {
    const { tape, ...others } = encodeProgram(lowered, values, { rows, batchRows }, this.#loops);
    return this.#tapes && tape ? { ...others, tape } : others;
  }

  #lowerOther(rows: number): Value[] {
    try {
      return this.#lower(rows).outputs.map(({ value }) => value);
    } catch (error) {
      throw new NotPartitionable(`cannot do with another number of rows (${(error as Error).message})`);
    }
  }

  #lower(rows: number): Lowered {
    const known = this.#lowered.get(rows);
    if (known) return known;
    const asTraced = lower(this.#trace(rows));
    this.#transposed ??= this.#toTranspose === 'auto' ? transposableWeights(asTraced) : this.#toTranspose;
    const step = withTransposed(asTraced, this.#transposed);
    const lowered = this.#cut ? withPieces(step, this.#cut) : step;
    this.#lowered.set(rows, lowered);
    return lowered;
  }
}

function lower(step: TracedStep): Lowered {
  const values = lowerGraph(
    step.outputs.map(({ value }) => value),
    constants(step),
  );
  const outputs = step.outputs.map(({ role }, i) => ({ role, value: values[i] as Value }));
  const roles = new Map([...step.roles].map(([value, role]) => [value.attrs.name as string, role]));
  return { roles, outputs };
}

/** Trained parameters, and values of the rows that a mini-batch brings. */
function sizeOfStep({ roles, outputs }: Lowered): StepSize {
  const gradients = outputs.filter(({ role }) => role.kind === 'gradient').map(({ value }) => value);
  const inputs = topologicalOrder(outputs.map(({ value }) => value)).filter(({ op }) => op === 'Input');
  const rows = inputs.filter(({ attrs }) => {
    const kind = roles.get(attrs.name as string)?.kind;
    return kind === 'feature' || kind === 'target' || kind === 'sampleWeight';
  });
  const elements = (values: readonly Value[]) => values.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { parameters: elements(gradients), gathered: elements(rows) };
}

/** What the user's code made before the step and uses in it, by value. Variables of other models are not read. */
export function constants(step: TracedStep): Map<Value, Value> {
  const used = topologicalOrder(step.outputs.map((output) => output.value));
  return new Map(
    used.flatMap((value) => {
      const tensor = step.captured.get(value);
      if (!tensor) return [];
      const data = tensor.dataSync() as Float32Array | Int32Array | Uint8Array;
      return [[value, step.graph.constant(data.slice(), value.shape, value.dtype)]];
    }),
  );
}
