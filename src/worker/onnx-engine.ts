import type { Arena, ArenaArray } from '../common/arena.js';
import type { Control } from '../common/control.js';
import type { ProgramInput, StepProgram } from '../common/program.js';
import type { DataSet, ReplicaSetup, TensorMemory } from '../common/protocol.js';
import type { Kernels } from '../kernels/kernels.js';
import { BoundProgram } from './bound-program.js';
import { gatherRows } from './gather.js';
import type { GradientEngine, Shard } from './gradient-engine.js';

/** Runs the traced step programs in ONNX Runtime, on the arena itself where the runtime can, else on copies. */
export class OnnxEngine implements GradientEngine {
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #setup: ReplicaSetup;
  readonly #training = new Map<number, BoundProgram>();
  readonly #evaluation = new Map<number, BoundProgram>();
  readonly #permutation: Int32Array;
  readonly #logs: Float32Array;
  readonly #arenaWeights: Float32Array;
  /** Weights of this thread alone; undefined where programs read the arena's. */
  #ownWeights: Float32Array | undefined;
  #tensorMemory: TensorMemory = 'shared';
  /** Whether the runtime has been seen to take the kind of memory in use. */
  #proven = false;
  shuffled = false;
  /** Milliseconds spent gathering rows; the caller reads and resets it. */
  gatherMilliseconds = 0;

  /** @param ownWeights whether `readWeights` takes a copy that later writes to the arena leave alone. */
  constructor(arena: Arena, control: Control, kernels: Kernels, setup: ReplicaSetup, ownWeights: boolean) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#setup = setup;
    this.#permutation = arena.ints('permutation');
    this.#logs = arena.floats('logs');
    this.#arenaWeights = arena.floats('weights');
    const load = (programs: StepProgram[], into: Map<number, BoundProgram>) => {
      for (const program of programs) into.set(program.rows, new BoundProgram(program, arena, control, setup));
    };
    try {
      load(setup.trainingPrograms, this.#training);
      load(setup.evaluationPrograms, this.#evaluation);
    } catch (error) {
      this.dispose();
      throw error;
    }
    this.#useWeights(ownWeights ? Float32Array.from(this.#arenaWeights) : undefined);
  }

  get tensorMemory(): TensorMemory {
    return this.#tensorMemory;
  }

  readWeights(replica: Float32Array = this.#arenaWeights): void {
    this.#ownWeights?.set(replica);
  }

  gradients(shard: Shard): void {
    const bound = this.#prepare(this.#training, this.#setup.training, shard, this.shuffled);
    this.#run(bound, shard);
    this.#writeLogs(bound, shard);
  }

  evaluate(shard: Shard): void {
    const { validation } = this.#setup;
    if (!validation) throw new Error('there is no validation set to evaluate');
    const bound = this.#prepare(this.#evaluation, validation, shard, false);
    this.#run(bound, shard);
    this.#writeLogs(bound, shard);
  }

  dispose(): void {
    for (const bound of [...this.#training.values(), ...this.#evaluation.values()]) bound.dispose();
    this.#training.clear();
    this.#evaluation.clear();
  }

  #useWeights(own: Float32Array | undefined): void {
    this.#ownWeights = own;
    for (const bound of [...this.#training.values(), ...this.#evaluation.values()]) {
      bound.bindWeights(own ?? this.#arenaWeights);
    }
  }

  #writeLogs({ logs }: BoundProgram, shard: Shard): void {
    const { shards, logCount } = this.#setup;
    const offset = (shard.step * shards + shard.index) * logCount;
    const scale = shard.share / shard.lossWeight;
    for (let i = 0; i < logCount; i++) this.#logs[offset + i] = (logs[i] as number) * scale;
  }

  /** Fills a program's inputs with the shard's rows and random numbers. */
  #prepare(programs: Map<number, BoundProgram>, data: DataSet, shard: Shard, shuffled: boolean): BoundProgram {
    const bound = programs.get(shard.rows);
    if (!bound) throw new Error(`there is no program for a shard of ${shard.rows} rows`);
    const started = performance.now();
    const order = shuffled ? this.#permutation : null;
    bound.lossWeight[0] = shard.lossWeight;
    for (const input of bound.program.inputs) {
      const { role } = input;
      if (role.kind === 'feature' || role.kind === 'target') {
        const column = (role.kind === 'feature' ? data.features : data.targets)[role.index];
        if (!column) throw new Error(`the data set has no ${role.kind} ${role.index}`);
        gatherRows(this.#arena.array(column.segment), column.rowSize, bound.input(input.name), shard, order);
      } else if (role.kind === 'uniform') {
        this.#drawUniform(input, role.stream, role.perRow, bound.input(input.name), shard);
      }
    }
    this.gatherMilliseconds += performance.now() - started;
    return bound;
  }

  #drawUniform(input: ProgramInput, stream: number, perRow: boolean, target: ArenaArray, shard: Shard): void {
    const { key, rank } = this.#setup;
    const scratch = this.#arena.segment(`random${rank}`);
    const rows = perRow ? (input.shape[0] ?? 1) : 1;
    const firstRow = perRow ? shard.firstRow : 0;
    const { offset } = scratch;
    this.#kernels.fillUniform(offset, firstRow, rows, target.length / rows, shard.batchNumber, stream, key[0], key[1]);
    target.set(this.#arena.floats(`random${rank}`).subarray(0, target.length));
  }

  #run(bound: BoundProgram, { index }: Shard): void {
    if (this.#tensorMemory === 'copied') {
      bound.runAndCopy(index);
      return;
    }
    try {
      bound.run(index);
    } catch (error) {
      if (this.#proven) throw error;
      // Node 20 has no way to hand shared memory to a native addon. Found out by trying: a second failure is a real one.
      this.#tensorMemory = 'copied';
      this.#useWeights(this.#ownWeights ?? Float32Array.from(this.#arenaWeights));
      bound.runAndCopy(index);
    }
    this.#proven = true;
  }
}
