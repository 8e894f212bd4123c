import type { Arena, Segment } from '../common/arena.js';
import { copyValues } from '../common/copy.js';
import { parameterAt } from '../common/parameters.js';
import { takePiece } from '../common/pieces.js';
import type { InputRole, ProgramOutput, StepProgram } from '../common/program.js';
import type { Column, DataSet, ReplicaSetup, TensorMemory, Work } from '../common/protocol.js';
import { sizeOf } from '../common/shapes.js';
import { tapeBytes } from '../common/tape.js';
import { keepsOwnWeights } from '../common/update-rules.js';
import type { Kernels } from '../kernels/kernels.js';
import { BoundProgram } from './bound-program.js';
import { Gatherer, type OpenColumn, type OpenData, openData } from './gather.js';
import type { GradientEngine, Shard } from './gradient-engine.js';
import type { Feed, RunnableProgram } from './runnable-program.js';
import { TapeProgram } from './tape-program.js';
import { Totals } from './totals.js';

type UniformRole = Extract<InputRole, { kind: 'uniform' }>;

/** The shard of a program that works on no rows. */
const WHOLE = 0;

/** Runs the traced step programs in ONNX Runtime, on the arena itself. */
export class OnnxEngine implements GradientEngine {
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #setup: ReplicaSetup;
  readonly #programs: Record<Work, RunnableProgram[]> = {
    training: [],
    evaluation: [],
    prediction: [],
    constraint: [],
  };
  /** Those in ONNX Runtime. */
  readonly #bound: BoundProgram[] = [];
  /** Where tapes stand, what of it they take, and which weights they read. */
  readonly #tapes: Segment;
  #tapeBytes = 0;
  readonly #tapeWeights: Segment;
  readonly #totals: Totals;
  readonly #gatherer: Gatherer;
  readonly #permutation: Int32Array;
  readonly #logs: Float32Array;
  readonly #arenaWeights: Float32Array;
  /** Weights of this thread alone; undefined where programs read the arena's. */
  #ownWeights: Float32Array | undefined;
  /** Where training is done, if not in the arena. */
  #trainsIn: Arena | undefined;
  #data: OpenData | undefined;
  #order: Int32Array | null = null;

  constructor(arena: Arena, kernels: Kernels, setup: ReplicaSetup) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#setup = setup;
    this.#permutation = arena.ints('permutation');
    this.#logs = arena.floats('logs');
    this.#arenaWeights = arena.floats('weights');
    this.#totals = new Totals(arena, kernels, setup.shards, setup.rank);
    this.#gatherer = new Gatherer(arena, kernels, setup.rank);
    const ownWeights = keepsOwnWeights(setup.rule);
    this.#ownWeights = ownWeights ? Float32Array.from(this.#arenaWeights) : undefined;
    this.#tapeWeights = arena.segment(ownWeights ? `tapeWeights${setup.rank}` : 'weights');
    this.#tapes = arena.segment(`tape${setup.rank}`);
    try {
      for (const [work, programs] of Object.entries(setup.programs)) this.add(work as Work, programs);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  add(work: Work, programs: StepProgram[]): void {
    for (const program of programs) this.#programs[work].push(this.#onTape(program) ?? this.#bind(program));
    this.#bindAll();
  }

  #bind(program: StepProgram): BoundProgram {
    const bound = new BoundProgram(program, this.#arena, this.#totals, this.#setup);
    this.#bound.push(bound);
    return bound;
  }

  /** Undefined for a program without a tape, and for one that has come too late to have memory for it. */
  #onTape(program: StepProgram): TapeProgram | undefined {
    const { tape } = program;
    if (!tape) return undefined;
    const at = this.#tapes.offset + this.#tapeBytes;
    const bytes = tapeBytes(tape, this.#setup.shards);
    if (this.#tapeBytes + bytes > this.#tapes.length * 4) return undefined;
    this.#tapeBytes += bytes;
    const weights = this.#tapeWeights.offset;
    return new TapeProgram(program, tape, this.#arena, this.#kernels, this.#setup, at, weights);
  }

  get tensorMemory(): TensorMemory {
    return this.#trainsIn ? 'private' : 'shared';
  }

  useData(data: DataSet, shuffled: boolean): void {
    this.#data = openData(this.#arena, data);
    this.#order = shuffled ? this.#permutation : null;
  }

  get usesTapes(): boolean {
    return this.#programs.training.some((bound) => bound instanceof TapeProgram);
  }

  trainIn(memory: Arena | undefined): void {
    if (memory === this.#trainsIn) return;
    this.#trainsIn = memory;
    this.#bindAll();
  }

  readWeights(replica: Float32Array = this.#arenaWeights): void {
    if (this.#trainsIn) return;
    if (this.#ownWeights) copyValues(replica, this.#ownWeights);
    if (this.#tapeBytes > 0 && keepsOwnWeights(this.#setup.rule))
      copyValues(replica, this.#arena.floats(`tapeWeights${this.#setup.rank}`));
  }

  stages(work: Work, batchRows: number): number {
    return this.#programOf(work, batchRows).stages;
  }

  gather(work: Work, shard: Shard): void {
    const data = this.#data;
    if (!data) throw new Error('there is no data to take rows from');
    const bound = this.#programOf(work, shard.batchRows, shard.rows);
    for (const feed of bound.feeds(shard.index)) {
      if (feed.kind === 'shard') feed.values[0] = shard.index;
      else if (feed.kind === 'uniform') this.#drawUniform(feed, bound.program.unitShards, shard);
      else this.#gatherer.gather(columnOf(data, feed), feed.values, shard, this.#order);
    }
  }

  run(work: Work, shard: Shard, stage: number): void {
    const bound = this.#programOf(work, shard.batchRows, shard.rows);
    bound.run(shard.index, stage);
    if (work !== 'prediction' && stage === bound.stages - 1) this.#writeLogs(bound, shard);
  }

  predict(batch: Shard, outputs: Column[]): void {
    this.gather('prediction', batch);
    this.run('prediction', batch, 0);
    const bound = this.#programOf('prediction', batch.rows);
    for (const { role, name } of bound.program.outputs) {
      if (role.kind !== 'prediction') continue;
      const { segment, rowSize } = outputs[role.index] as Column;
      copyValues(bound.output(batch.index, name), this.#arena.array(segment), batch.start * rowSize);
    }
  }

  constrain(index: number, weights: Float32Array): void {
    const bound = this.#programs.constraint[index] as RunnableProgram;
    const [{ name, role }] = bound.program.outputs as [ProgramOutput];
    if (role.kind !== 'constrained') return;
    const { offset, size } = parameterAt(this.#setup.parameters, role.index);
    const weight = weights.subarray(offset, offset + size);
    // No tape has an output of this kind: the program reads the thread's own weights, if there are any.
    this.#ownWeights?.set(weight, offset);
    bound.run(WHOLE, 0);
    weight.set(bound.output(WHOLE, name) as Float32Array);
  }

  exchange(work: Work, batchRows: number, stage: number, count: number, own: readonly number[]): void {
    this.#programOf(work, batchRows).exchange(stage, count, own);
  }

  dispose(): void {
    for (const bound of this.#bound) bound.dispose();
    this.#bound.length = 0;
    for (const programs of Object.values(this.#programs)) programs.length = 0;
  }

  /** The program of a shard, or that of any shard of a mini-batch. There are four at most. */
  #programOf(work: Work, batchRows: number, rows?: number): RunnableProgram {
    for (const bound of this.#programs[work]) {
      if (bound.batchRows === batchRows && (rows === undefined || bound.rows === rows)) return bound;
    }
    throw new Error(`there is no program for ${work} with a shard of ${rows} of ${batchRows} rows`);
  }

  #bindAll(): void {
    const memory = this.#trainsIn;
    for (const bound of this.#bound) {
      if (memory && this.#programs.training.includes(bound)) {
        bound.bindTo(memory.floats('weights'), memory.floats('gradients'));
      } else {
        bound.bindTo(this.#ownWeights ?? this.#arenaWeights);
      }
    }
  }

  #writeLogs(bound: RunnableProgram, shard: Shard): void {
    const { shards, logCount } = this.#setup;
    const offset = (shard.step * shards + shard.index) * logCount;
    const logs = bound.logs(shard.index);
    // A shard that is a batch of its own has its own means: they count by its rows.
    const scale = shard.batchRows === shard.rows ? shard.share : 1;
    for (let i = 0; i < logCount; i++) this.#logs[offset + i] = (logs[i] as number) * scale;
  }

  #drawUniform({ input: { shape, role }, values: target }: Feed, unitShards = 1, shard: Shard): void {
    const { stream, perRow, cutAxis } = role as UniformRole;
    const { key, rank } = this.#setup;
    const scratch = this.#arena.floats(`random${rank}`);
    const whole = shape.map((n, axis) => (axis === cutAxis ? n * unitShards : n));
    const size = sizeOf(whole);
    const rows = perRow ? (whole[0] ?? 1) : 1;
    const firstRow = perRow ? shard.firstRow : 0;
    const { byteOffset } = scratch;
    this.#kernels.fillUniform(byteOffset, firstRow, rows, size / rows, shard.batchNumber, stream, key[0], key[1]);
    if (cutAxis === undefined) copyValues(scratch.subarray(0, size), target);
    else takePiece(scratch, whole, { axis: cutAxis, index: shard.index, count: unitShards }, target);
  }
}

function columnOf(data: OpenData, { kind, index }: Feed): OpenColumn {
  const column = data[kind as keyof OpenData][index];
  if (!column) throw new Error(`the data set has no ${kind} ${index}`);
  return column;
}
