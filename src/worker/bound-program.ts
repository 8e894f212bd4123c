import { type Arena, type ArenaArray, allocate, viewOf } from '../common/arena.js';
import { type ExchangePlace, placeExchanges } from '../common/exchanges.js';
import { type Parameter, type ParameterLayout, parameterAt } from '../common/parameters.js';
import { placeInputs } from '../common/placed-inputs.js';
import type {
  CopyStep,
  LoopStep,
  NamedSpec,
  PieceChoice,
  ProgramStep,
  RuntimeStep,
  StepProgram,
} from '../common/program.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { sizeOf } from '../common/shapes.js';
import { Call, Session, type Tensor, type Tensors, tensorOver } from '../onnx-runtime/session.js';
import { LoopRunner } from './loop-runner.js';
import { type Feed, feedOf, type RunnableProgram } from './runnable-program.js';
import type { Totals } from './totals.js';

/** Outputs that stay with the program, for the engine to take. */
const OWN_OUTPUTS = new Set(['prediction', 'constrained']);

/** What a run reads and writes of one shard alone. */
interface ShardBuffers {
  /** Inputs of the program, what stages carry on and predictions, by name. */
  tensors: Tensors;
  feeds: Feed[];
  logs: Float32Array;
  /** Where its part of the loops' memory begins. */
  loopsAt: number;
}

/** A step program in ONNX Runtime with the buffers that it reads and writes. */
export class BoundProgram implements RunnableProgram {
  readonly program: StepProgram;
  readonly rows: number;
  readonly batchRows: number;
  readonly stages: number;
  readonly #setup: ReplicaSetup;
  readonly #parameters: ParameterLayout;
  readonly #arena: Arena;
  readonly #totals: Totals;
  readonly #sessions = new Map<RuntimeStep, Session>();
  readonly #loops: LoopRunner | undefined;
  readonly #exchanges: ExchangePlace[];
  #weights: Float32Array = new Float32Array();
  #gradients: Float32Array;
  /** Totals that all shards of this worker have, by name. */
  readonly #gathered = new Map<string, Float32Array>();
  readonly #buffers: ShardBuffers[] = [];
  /** What a step reads and writes for one shard, by shard. */
  readonly #calls = new Map<RuntimeStep, Call[]>();
  readonly #bound: { read: Tensors; written: Tensors }[] = [];
  /** The same of loops and copies. */
  readonly #actions = new Map<LoopStep | CopyStep, (() => void)[]>();

  constructor(program: StepProgram, arena: Arena, totals: Totals, setup: ReplicaSetup) {
    this.program = program;
    this.rows = program.rows;
    this.batchRows = program.batchRows;
    this.stages = program.stages.length;
    this.#arena = arena;
    this.#totals = totals;
    this.#setup = setup;
    this.#parameters = setup.parameters;
    this.#exchanges = placeExchanges(program);
    this.#gradients = arena.floats('gradients');
    const steps = program.stages.flat().filter((step) => 'onnx' in step);
    this.#loops = program.loops && new LoopRunner(program.loops);
    try {
      for (const step of steps) {
        this.#sessions.set(step, new Session(step.onnx, steps.length === 1));
        this.#calls.set(step, []);
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Makes the program read its weights from `weights` and leave gradients in the slots of `gradients`. Default: the arena's. */
  bindTo(weights: Float32Array, gradients = this.#arena.floats('gradients')): void {
    this.#unbind();
    this.#weights = weights;
    this.#gradients = gradients;
  }

  feeds(shard: number): readonly Feed[] {
    return this.#buffersOf(shard).feeds;
  }

  output(shard: number, name: string): ArenaArray {
    return this.#tensorOf(shard, name).data;
  }

  logs(shard: number): Float32Array {
    return this.#buffersOf(shard).logs;
  }

  run(shard: number, stage: number): void {
    for (const step of this.program.stages[stage] as ProgramStep[]) {
      if ('onnx' in step) this.#sessions.get(step)?.run(this.#callOf(step, shard));
      else this.#actionOf(step, shard)();
    }
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
          this.#totals.reduceScatter(place, piece, this.output(index, total) as Float32Array);
        }
      }
    }
  }

  dispose(): void {
    this.#unbind();
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
    this.#loops?.[Symbol.dispose]();
  }

  #unbind(): void {
    for (const calls of this.#calls.values()) {
      for (const call of Object.values(calls)) call[Symbol.dispose](); // of shards of other workers there are none
      calls.length = 0;
    }
    this.#actions.clear();
    this.#bound.length = 0;
  }

  /** Shards that go through the program from its beginning to its end, one after the other, can use the same. */
  #buffersOf(shard: number): ShardBuffers {
    const key = this.stages === 1 ? 0 : shard;
    this.#buffers[key] ??= this.#makeBuffers();
    return this.#buffers[key];
  }

  #tensorOf(shard: number, name: string): Tensor {
    return this.#buffersOf(shard).tensors[name] as Tensor;
  }

  #makeBuffers(): ShardBuffers {
    const { inputs, carried, outputs } = this.program;
    const loopsAt = this.#loops?.reserve() ?? 0;
    const fed = inputs.filter(({ role }) => role.kind !== 'weight');
    const own: NamedSpec[] = [
      ...fed,
      ...carried,
      ...outputs.filter(({ role }) => OWN_OUTPUTS.has(role.kind)),
      ...this.#scattered(),
    ];
    const tensors: Tensors = {};
    const rows = this.#placedRows();
    for (const { name, shape, dtype } of own) {
      const placed = rows[name] ?? this.#loops?.floats(name, sizeOf(shape), loopsAt);
      tensors[name] = tensorOver(placed ?? allocate(dtype, sizeOf(shape)), shape, dtype);
    }
    const feeds = fed.map((input) => feedOf(input, (tensors[input.name] as Tensor).data));
    return { tensors, feeds, logs: new Float32Array(this.#setup.logCount), loopsAt };
  }

  /** Inputs that stand in the arena, by name. Only one shard of units can have them there. */
  #placedRows(): Record<string, ArenaArray> {
    const room = this.#arena.segment(`inputs${this.#setup.rank}`);
    const { bytes, segments } = placeInputs(this.program);
    if (bytes > room.length || (this.stages > 1 && this.#buffers.some((buffers) => buffers))) return {};
    const { buffer } = this.#arena.memory;
    const rows = Object.entries(segments).map(([name, { dtype, offset, length }]) => [
      name,
      viewOf(buffer, dtype, room.offset + offset, length),
    ]);
    return Object.fromEntries(rows);
  }

  #callOf(step: RuntimeStep, shard: number): Call {
    const calls = this.#calls.get(step) as Call[];
    calls[shard] ??= this.#bind(shard, step);
    return calls[shard];
  }

  #bind(shard: number, { inputs, outputs }: RuntimeStep): Call {
    const { read, written } = this.#tensorsOf(shard);
    const only = (names: string[], tensors: Tensors): Tensors =>
      Object.fromEntries(names.map((name) => [name, tensors[name] as Tensor]));
    return new Call(only(inputs, read), only(outputs, written));
  }

  #actionOf(step: LoopStep | CopyStep, shard: number): () => void {
    const actions = this.#actions.get(step) ?? [];
    this.#actions.set(step, actions);
    actions[shard] ??= 'loop' in step ? this.#bindLoop(step, shard) : this.#bindCopies(step, shard);
    return actions[shard];
  }

  #bindLoop(step: LoopStep, shard: number): () => void {
    return (this.#loops as LoopRunner).bind(step, this.#buffersOf(shard).loopsAt);
  }

  #bindCopies({ copies }: CopyStep, shard: number): () => void {
    const { read, written } = this.#tensorsOf(shard);
    const each = copies.map(({ from, to, at, length }) => {
      const target = (written[to] as Tensor).data.subarray(at, at + length);
      if (typeof from === 'number') return () => target.fill(from);
      const source = (read[from] as Tensor).data;
      return () => target.set(source);
    });
    return () => {
      for (const copy of each) copy();
    };
  }

  /** What steps of a shard read and write, by name. */
  #tensorsOf(shard: number): { read: Tensors; written: Tensors } {
    const { tensors, logs } = this.#buffersOf(shard);
    this.#bound[shard] ??= {
      read: { ...this.#weightTensors(shard), ...this.#totalTensors(), ...tensors },
      written: { ...tensors, ...this.#sharedOutputs(shard), logs: tensorOver(logs, [logs.length]) },
    };
    return this.#bound[shard];
  }

  #weightTensors(shard: number): Tensors {
    const tensors: Tensors = {};
    for (const { name, role, shape } of this.program.inputs) {
      if (role.kind !== 'weight') continue;
      const { offset, size } = this.#parameterOf(role, shard);
      tensors[name] = tensorOver(this.#weights.subarray(offset, offset + size), shape);
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
        tensors[total] = tensorOver(this.#totals.values.subarray(offset, offset + size), shape);
      } else if (collective.kind === 'all-gather') {
        const { unitShards = 1 } = this.program;
        const whole = shape.map((n, axis) => (axis === collective.axis ? n * unitShards : n));
        tensors[total] = tensorOver(this.#gatheredOf(total, sizeOf(whole)), whole);
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
  #sharedOutputs(shard: number): Tensors {
    const tensors: Tensors = {};
    const { replacedEnd } = this.#parameters;
    const slot = this.program.unitShards === undefined ? shard : 0;
    const gradients = this.#gradients.subarray(slot * replacedEnd, (slot + 1) * replacedEnd);
    for (const { name, role, shape } of this.program.outputs) {
      if (role.kind !== 'gradient' && role.kind !== 'state') continue;
      const { offset, size } = this.#parameterOf(role, shard);
      tensors[name] = tensorOver(gradients.subarray(offset, offset + size), shape);
    }
    const parts = this.#totals.slot(shard);
    for (const { exchange, offset, size } of this.#exchanges) {
      tensors[exchange.part] = tensorOver(parts.subarray(offset, offset + size), exchange.shape);
    }
    return tensors;
  }
}
