import { Tensor } from 'onnxruntime-node';
import { type Arena, type ArenaArray, allocate } from '../common/arena.js';
import type { Control } from '../common/control.js';
import { placeExchanges } from '../common/exchanges.js';
import { type ParameterLayout, parameterAt } from '../common/parameters.js';
import type { DType, NamedSpec, StepProgram } from '../common/program.js';
import type { ReplicaSetup, TensorMemory } from '../common/protocol.js';
import { sizeOf } from '../common/shapes.js';
import type { RunnableProgram } from './runnable-program.js';
import { Session, type Tensors } from './session.js';
import type { Totals } from './totals.js';

/** Outputs that stay with the program, for the engine to take. */
const OWN_OUTPUTS = new Set(['prediction', 'constrained']);

/** What a run reads and writes of one shard alone. */
interface ShardBuffers {
  /** Inputs of the program, what stages carry on and predictions, by name. */
  tensors: Tensors;
  logs: Float32Array;
}

/** A stage's inputs and outputs for one shard. */
interface Binding {
  inputs: Tensors;
  outputs: Tensors;
  /** Where outputs go that are not in shared memory yet. */
  copies: { from: Float32Array; to: Float32Array }[];
}

/** A step program in ONNX Runtime with the buffers that it reads and writes. */
export class BoundProgram implements RunnableProgram {
  readonly program: StepProgram;
  readonly #setup: ReplicaSetup;
  readonly #parameters: ParameterLayout;
  readonly #arena: Arena;
  readonly #totals: Totals;
  readonly #sessions: Session[];
  #weights: Tensors = {};
  readonly #buffers = new Map<number, ShardBuffers>();
  readonly #bindings = new Map<string, Binding>();
  /** Where shared outputs are written that the runtime cannot write in place: copied at once, so that all shards use the same. */
  readonly #private = new Map<string, Float32Array>();

  constructor(program: StepProgram, arena: Arena, control: Control, totals: Totals, setup: ReplicaSetup) {
    this.program = program;
    this.#arena = arena;
    this.#totals = totals;
    this.#setup = setup;
    this.#parameters = setup.parameters;
    const keepsMemory = program.stages.length === 1;
    this.#sessions = program.stages.map(({ onnx }) => new Session(onnx, control, keepsMemory));
  }

  /** Makes the program read its weights from `vector`. */
  bindWeights(vector: Float32Array): void {
    this.#bindings.clear();
    for (const { name, role, shape } of this.program.inputs) {
      if (role.kind !== 'weight') continue;
      const { offset, size } = parameterAt(this.#parameters, role.index);
      this.#weights[name] = tensorOver(vector.subarray(offset, offset + size), shape, 'float32');
    }
  }

  buffer(shard: number, name: string): ArenaArray {
    return this.#buffersOf(shard).tensors[name]?.data as ArenaArray;
  }

  logs(shard: number): Float32Array {
    return this.#buffersOf(shard).logs;
  }

  run(shard: number, stage: number, memory: TensorMemory): void {
    const { inputs, outputs, copies } = this.#bindingOf(shard, stage, memory);
    this.#sessions[stage]?.run(inputs, outputs);
    for (const { from, to } of copies) to.set(from);
  }

  dispose(): void {
    for (const session of this.#sessions) session.dispose();
  }

  /** Shards that go through the program from its beginning to its end, one after the other, can use the same. */
  #buffersOf(shard: number): ShardBuffers {
    const key = this.program.stages.length === 1 ? 0 : shard;
    const known = this.#buffers.get(key);
    if (known) return known;
    const { inputs, carried, outputs } = this.program;
    const own: NamedSpec[] = [
      ...inputs.filter(({ role }) => role.kind !== 'weight'),
      ...carried,
      ...outputs.filter(({ role }) => OWN_OUTPUTS.has(role.kind)),
    ];
    const tensors = own.map(({ name, shape, dtype }) => [
      name,
      tensorOver(allocate(dtype, sizeOf(shape)), shape, dtype),
    ]);
    const buffers = { tensors: Object.fromEntries(tensors), logs: new Float32Array(this.#setup.logCount) };
    this.#buffers.set(key, buffers);
    return buffers;
  }

  #bindingOf(shard: number, stage: number, memory: TensorMemory): Binding {
    const key = `${shard} ${stage} ${memory}`;
    let binding = this.#bindings.get(key);
    if (!binding) {
      binding = this.#bind(shard, stage, memory);
      this.#bindings.set(key, binding);
    }
    return binding;
  }

  #bind(shard: number, stage: number, memory: TensorMemory): Binding {
    const { inputs, outputs } = this.program.stages[stage] as StepProgram['stages'][number];
    const { tensors, logs } = this.#buffersOf(shard);
    const binding: Binding = { inputs: {}, outputs: {}, copies: [] };
    const given = { ...this.#weights, ...this.#totalTensors(), ...tensors };
    for (const name of inputs) binding.inputs[name] = given[name] as Tensor;
    const shared = this.#sharedOutputs(shard);
    for (const name of outputs) {
      const target = shared.get(name);
      if (!target) {
        binding.outputs[name] = tensors[name] ?? tensorOver(logs, [logs.length], 'float32');
        continue;
      }
      const own = memory === 'shared' ? target.to : this.#privateOf(name, target.to.length);
      binding.outputs[name] = tensorOver(own, target.shape, 'float32');
      if (own !== target.to) binding.copies.push({ from: own, to: target.to });
    }
    return binding;
  }

  #privateOf(name: string, length: number): Float32Array {
    const own = this.#private.get(name) ?? new Float32Array(length);
    this.#private.set(name, own);
    return own;
  }

  /** Totals as inputs of stages, over this worker's copy of them. */
  #totalTensors(): Tensors {
    return Object.fromEntries(
      placeExchanges(this.program).map(({ exchange, offset, size }) => {
        const values = this.#totals.values.subarray(offset, offset + size);
        return [exchange.total, tensorOver(values, exchange.shape, 'float32')];
      }),
    );
  }

  /** Outputs of a shard that others read. */
  #sharedOutputs(shard: number): Map<string, { to: Float32Array; shape: number[] }> {
    const targets = new Map<string, { to: Float32Array; shape: number[] }>();
    const { replacedEnd } = this.#parameters;
    const gradients = this.#arena.floats('gradients').subarray(shard * replacedEnd, (shard + 1) * replacedEnd);
    for (const { name, role, shape } of this.program.outputs) {
      if (role.kind === 'logs' || OWN_OUTPUTS.has(role.kind)) continue;
      const { offset, size } = parameterAt(this.#parameters, role.index);
      targets.set(name, { to: gradients.subarray(offset, offset + size), shape });
    }
    const parts = this.#totals.slot(shard);
    for (const { exchange, offset, size } of placeExchanges(this.program)) {
      targets.set(exchange.part, { to: parts.subarray(offset, offset + size), shape: exchange.shape });
    }
    return targets;
  }
}

function tensorOver(data: ArenaArray, shape: readonly number[], dtype: DType): Tensor {
  return new Tensor(dtype, data as never, shape);
}
