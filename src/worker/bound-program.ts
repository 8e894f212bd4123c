import { Tensor } from 'onnxruntime-node';
import { type Arena, type ArenaArray, allocate } from '../common/arena.js';
import type { Control } from '../common/control.js';
import { byteView, copyBytes } from '../common/copy.js';
import { type ExchangePlace, placeExchanges } from '../common/exchanges.js';
import { type Parameter, type ParameterLayout, parameterAt } from '../common/parameters.js';
import type { DType, NamedSpec, PieceChoice, StepProgram } from '../common/program.js';
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
  copies: { from: Buffer; to: Buffer }[];
}

/** A step program in ONNX Runtime with the buffers that it reads and writes. */
export class BoundProgram implements RunnableProgram {
  readonly program: StepProgram;
  readonly #setup: ReplicaSetup;
  readonly #parameters: ParameterLayout;
  readonly #arena: Arena;
  readonly #totals: Totals;
  readonly #sessions: Session[];
  readonly #exchanges: ExchangePlace[];
  #weights: Float32Array = new Float32Array();
  #gradients: Float32Array;
  /** Totals that all shards of this worker have, by name. */
  readonly #gathered = new Map<string, Float32Array>();
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
    this.#exchanges = placeExchanges(program);
    this.#gradients = arena.floats('gradients');
    const isWholeProgram = program.stages.length === 1;
    this.#sessions = program.stages.map(({ onnx }) => new Session(onnx, control, isWholeProgram));
  }

  /** Makes the program read its weights from `weights` and leave gradients in the slots of `gradients`. Default: the arena's. */
  bindTo(weights: Float32Array, gradients = this.#arena.floats('gradients')): void {
    this.#bindings.clear();
    this.#weights = weights;
    this.#gradients = gradients;
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
    for (const { from, to } of copies) copyBytes(from, to);
  }

  exchange(stage: number, count: number, own: readonly number[]): void {
    for (const place of this.#exchanges) {
      const { collective, total } = place.exchange;
      if (place.exchange.stage !== stage) continue;
      if (collective.kind === 'all-reduce') {
        this.#totals.allReduce(place, collective.reduction, count);
      } else if (collective.kind === 'all-gather') {
        this.#totals.allGather(place, collective.axis, count, this.#gatheredOf(total, place.size * count));
      } else {
        for (const index of own) {
          const piece = { axis: collective.axis, index, count };
          this.#totals.reduceScatter(place, piece, this.buffer(index, total) as Float32Array);
        }
      }
    }
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
      ...this.#scattered(),
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
    const given = { ...this.#weightTensors(shard), ...this.#totalTensors(), ...tensors };
    for (const name of inputs) binding.inputs[name] = given[name] as Tensor;
    const shared = this.#sharedOutputs(shard);
    for (const name of outputs) {
      const target = shared.get(name);
      if (!target) {
        binding.outputs[name] = tensors[name] ?? tensorOver(logs, [logs.length], 'float32');
        continue;
      }
      const { to } = target;
      const inPlace = memory === 'shared' || !(to.buffer instanceof SharedArrayBuffer);
      const own = inPlace ? to : this.#privateOf(name, to.length);
      binding.outputs[name] = tensorOver(own, target.shape, 'float32');
      if (own !== to) binding.copies.push({ from: byteView(own), to: byteView(to) });
    }
    return binding;
  }

  #privateOf(name: string, length: number): Float32Array {
    const own = this.#private.get(name) ?? new Float32Array(length);
    this.#private.set(name, own);
    return own;
  }

  #weightTensors(shard: number): Tensors {
    const tensors: Tensors = {};
    for (const { name, role, shape } of this.program.inputs) {
      if (role.kind !== 'weight') continue;
      const { offset, size } = this.#parameterOf(role, shard);
      tensors[name] = tensorOver(this.#weights.subarray(offset, offset + size), shape, 'float32');
    }
    return tensors;
  }

  #parameterOf({ index, piece }: { index: number; piece?: PieceChoice }, shard: number): Parameter {
    return parameterAt(this.#parameters, index, piece === 'own' ? shard : piece);
  }

  /** Totals that are the same for all shards, as inputs of stages. */
  #totalTensors(): Tensors {
    const tensors: Tensors = {};
    for (const { exchange, offset, size } of this.#exchanges) {
      const { total, collective, shape } = exchange;
      if (collective.kind === 'all-reduce') {
        tensors[total] = tensorOver(this.#totals.values.subarray(offset, offset + size), shape, 'float32');
      } else if (collective.kind === 'all-gather') {
        const { unitShards = 1 } = this.program;
        const whole = shape.map((n, axis) => (axis === collective.axis ? n * unitShards : n));
        tensors[total] = tensorOver(this.#gatheredOf(total, sizeOf(whole)), whole, 'float32');
      }
    }
    return tensors;
  }

  #gatheredOf(total: string, length: number): Float32Array {
    const values = this.#gathered.get(total) ?? new Float32Array(length);
    this.#gathered.set(total, values);
    return values;
  }

  /** Totals of which each shard has its piece. */
  #scattered(): NamedSpec[] {
    const { unitShards = 1 } = this.program;
    return this.#exchanges.flatMap(({ exchange: { total, collective, shape } }) => {
      if (collective.kind !== 'reduce-scatter') return [];
      const piece = shape.map((n, axis) => (axis === collective.axis ? n / unitShards : n));
      return [{ name: total, shape: piece, dtype: 'float32' as const }];
    });
  }

  /** Outputs of a shard that go on from here. Shards of units have gradients of other weights each: they share one slot. */
  #sharedOutputs(shard: number): Map<string, { to: Float32Array; shape: number[] }> {
    const targets = new Map<string, { to: Float32Array; shape: number[] }>();
    const { replacedEnd } = this.#parameters;
    const slot = this.program.unitShards === undefined ? shard : 0;
    const gradients = this.#gradients.subarray(slot * replacedEnd, (slot + 1) * replacedEnd);
    for (const { name, role, shape } of this.program.outputs) {
      if (role.kind !== 'gradient' && role.kind !== 'state') continue;
      const { offset, size } = this.#parameterOf(role, shard);
      targets.set(name, { to: gradients.subarray(offset, offset + size), shape });
    }
    const parts = this.#totals.slot(shard);
    for (const { exchange, offset, size } of this.#exchanges) {
      targets.set(exchange.part, { to: parts.subarray(offset, offset + size), shape: exchange.shape });
    }
    return targets;
  }
}

function tensorOver(data: ArenaArray, shape: readonly number[], dtype: DType): Tensor {
  return new Tensor(dtype, data as never, shape);
}
