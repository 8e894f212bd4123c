import { Tensor } from 'onnxruntime-node';
import { type Arena, type ArenaArray, allocate } from '../common/arena.js';
import type { Control } from '../common/control.js';
import type { ParameterLayout } from '../common/parameters.js';
import type { DType, ProgramInput, StepProgram } from '../common/program.js';
import type { DataSet, ReplicaSetup, TensorMemory } from '../common/protocol.js';
import type { Kernels } from '../kernels/kernels.js';
import { gatherRows } from './gather.js';
import type { GradientEngine, Shard } from './gradient-engine.js';
import { Session, type Tensors } from './session.js';

/** Shard index under which a program's own, private gradients are bound when tensors cannot live in shared memory. */
const PRIVATE = -1;

/** A program with the buffers it reads and writes. */
interface LoadedProgram {
  program: StepProgram;
  session: Session;
  inputs: Tensors;
  shardWeight: Float32Array;
  logs: Float32Array;
  /** Output tensors by shard index. */
  outputs: Map<number, Tensors>;
}

/** Runs the traced step programs in ONNX Runtime, on the arena itself where the runtime can, else on copies. */
export class OnnxEngine implements GradientEngine {
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #setup: ReplicaSetup;
  readonly #control: Control;
  readonly #training: Map<number, LoadedProgram>;
  readonly #evaluation: Map<number, LoadedProgram>;
  readonly #permutation: Int32Array;
  readonly #logs: Float32Array;
  /** The weights as programs read them: the arena's own, or a private copy. */
  #weights: Float32Array;
  #tensorMemory: TensorMemory = 'shared';
  /** Whether the runtime has been seen to take the kind of memory in use. */
  #proven = false;
  shuffled = false;
  /** Milliseconds spent gathering rows; the caller reads and resets it. */
  gatherMilliseconds = 0;

  constructor(arena: Arena, kernels: Kernels, setup: ReplicaSetup, control: Control) {
    this.#arena = arena;
    this.#control = control;
    this.#kernels = kernels;
    this.#setup = setup;
    this.#permutation = arena.ints('permutation');
    this.#logs = arena.floats('logs');
    this.#weights = arena.floats('weights');
    this.#training = new Map(setup.trainingPrograms.map((p) => [p.rows, this.#load(p)]));
    this.#evaluation = new Map(setup.evaluationPrograms.map((p) => [p.rows, this.#load(p)]));
  }

  get tensorMemory(): TensorMemory {
    return this.#tensorMemory;
  }

  weightsChanged(): void {
    if (this.#tensorMemory === 'copied') this.#weights.set(this.#arena.floats('weights'));
  }

  gradients(shard: Shard): void {
    const loaded = this.#prepare(this.#training, this.#setup.training, shard, this.shuffled);
    this.#run(loaded, shard);
    if (this.#tensorMemory === 'copied') this.#publish(loaded, shard);
    this.#logs.set(loaded.logs, this.#logOffset(shard));
  }

  evaluate(shard: Shard): void {
    const { validation } = this.#setup;
    if (!validation) throw new Error('there is no validation set to evaluate');
    const loaded = this.#prepare(this.#evaluation, validation, shard, false);
    this.#run(loaded, shard);
    this.#logs.set(loaded.logs, this.#logOffset(shard));
  }

  dispose(): void {
    for (const { session } of [...this.#training.values(), ...this.#evaluation.values()]) {
      this.#control.callNative(() => session.dispose());
    }
    this.#training.clear();
    this.#evaluation.clear();
  }

  #logOffset(shard: Shard): number {
    return (shard.step * this.#setup.shards + shard.index) * this.#setup.logCount;
  }

  /** Fills a program's inputs with the shard's rows and random numbers. */
  #prepare(programs: Map<number, LoadedProgram>, data: DataSet, shard: Shard, shuffled: boolean): LoadedProgram {
    const loaded = programs.get(shard.rows);
    if (!loaded) throw new Error(`there is no program for a shard of ${shard.rows} rows`);
    const started = performance.now();
    loaded.shardWeight[0] = shard.weight;
    for (const input of loaded.program.inputs) {
      const { role } = input;
      const target = loaded.inputs[input.name]?.data as ArenaArray;
      if (role.kind === 'feature' || role.kind === 'target') {
        const column = (role.kind === 'feature' ? data.features : data.targets)[role.index];
        if (!column) throw new Error(`the data set has no ${role.kind} ${role.index}`);
        gatherRows(
          this.#arena.array(column.segment),
          column.rowSize,
          target,
          shard,
          shuffled ? this.#permutation : null,
        );
      } else if (role.kind === 'uniform') {
        this.#drawUniform(input, role.stream, role.perRow, target as Float32Array, shard);
      }
    }
    this.gatherMilliseconds += performance.now() - started;
    return loaded;
  }

  #drawUniform(input: ProgramInput, stream: number, perRow: boolean, target: Float32Array, shard: Shard): void {
    const { key, rank } = this.#setup;
    const scratch = this.#arena.segment(`random${rank}`);
    const rows = perRow ? (input.shape[0] ?? 1) : 1;
    const firstRow = perRow ? shard.firstRow : 0;
    const { offset } = scratch;
    this.#kernels.fillUniform(offset, firstRow, rows, target.length / rows, shard.update, stream, key[0], key[1]);
    target.set(this.#arena.floats(`random${rank}`).subarray(0, target.length));
  }

  #run(loaded: LoadedProgram, shard: Shard): void {
    const run = () => loaded.session.run(loaded.inputs, this.#outputsOf(loaded, shard.index));
    if (this.#proven) {
      this.#control.callNative(run);
      return;
    }
    try {
      this.#control.callNative(run);
    } catch {
      // Node 20 has no way to hand shared memory to a native addon. Found out by trying: a second failure is a real one.
      this.#workOnCopies();
      this.#control.callNative(run);
    }
    this.#proven = true;
  }

  #workOnCopies(): void {
    this.#tensorMemory = 'copied';
    this.#weights = Float32Array.from(this.#arena.floats('weights'));
    for (const loaded of [...this.#training.values(), ...this.#evaluation.values()]) {
      loaded.outputs.clear();
      for (const input of loaded.program.inputs) {
        if (input.role.kind === 'weight') loaded.inputs[input.name] = this.#weightTensor(input);
      }
    }
  }

  /** Copies private gradients into the shard's slot. */
  #publish(loaded: LoadedProgram, shard: Shard): void {
    const slot = gradientSlot(this.#arena, this.#setup.parameters, shard.index);
    const outputs = this.#outputsOf(loaded, PRIVATE);
    for (const output of loaded.program.outputs) {
      if (output.role.kind === 'logs') continue;
      const { offset } = parameterAt(this.#setup.parameters, output.role.index);
      slot.set(outputs[output.name]?.data as Float32Array, offset);
    }
  }

  #load(program: StepProgram): LoadedProgram {
    const inputs: Tensors = {};
    const shardWeight = new Float32Array(1);
    for (const input of program.inputs) {
      if (input.role.kind === 'weight') inputs[input.name] = this.#weightTensor(input);
      else if (input.role.kind === 'shardWeight') inputs[input.name] = tensorOver(shardWeight, input.shape, 'float32');
      else inputs[input.name] = tensorOver(allocate(input.dtype, sizeOf(input.shape)), input.shape, input.dtype);
    }
    const logs = new Float32Array(this.#setup.logCount);
    const session = this.#control.callNative(() => new Session(program.onnx));
    return { program, session, inputs, shardWeight, logs, outputs: new Map() };
  }

  #weightTensor(input: ProgramInput): Tensor {
    if (input.role.kind !== 'weight') throw new Error(`program input '${input.name}' is no weight`);
    const { offset, size } = parameterAt(this.#setup.parameters, input.role.index);
    return tensorOver(this.#weights.subarray(offset, offset + size), input.shape, 'float32');
  }

  #outputsOf(loaded: LoadedProgram, shard: number): Tensors {
    const index = this.#tensorMemory === 'copied' ? PRIVATE : shard;
    let outputs = loaded.outputs.get(index);
    if (!outputs) {
      outputs = this.#bindOutputs(loaded, index);
      loaded.outputs.set(index, outputs);
    }
    return outputs;
  }

  #bindOutputs({ program, logs }: LoadedProgram, shard: number): Tensors {
    const { parameters } = this.#setup;
    const slot =
      shard === PRIVATE ? new Float32Array(parameters.replacedEnd) : gradientSlot(this.#arena, parameters, shard);
    const outputs: Tensors = {};
    for (const { name, role, shape } of program.outputs) {
      if (role.kind === 'logs') {
        outputs[name] = tensorOver(logs, shape, 'float32');
      } else {
        const { offset, size } = parameterAt(parameters, role.index);
        outputs[name] = tensorOver(slot.subarray(offset, offset + size), shape, 'float32');
      }
    }
    return outputs;
  }
}

function gradientSlot(arena: Arena, { replacedEnd }: ParameterLayout, shard: number): Float32Array {
  return arena.floats('gradients').subarray(shard * replacedEnd, (shard + 1) * replacedEnd);
}

function parameterAt({ parameters }: ParameterLayout, index: number) {
  const parameter = parameters.find((p) => p.index === index);
  if (!parameter) throw new Error(`the model has no weight ${index}`);
  return parameter;
}

function tensorOver(data: ArenaArray, shape: readonly number[], dtype: DType): Tensor {
  return new Tensor(dtype, data as never, shape);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
