import * as tf from '@tensorflow/tfjs';
import type { Arena, ArenaArray } from '../common/arena.js';
import { allocate } from '../common/arena.js';
import { parameterAt } from '../common/parameters.js';
import type { ProgramOutput, StepProgram, TensorSpec } from '../common/program.js';
import type { Column, DataSet, EagerModel, ReplicaSetup, Work } from '../common/protocol.js';
import { gatherRows } from './gather.js';
import type { GradientEngine, Shard } from './gradient-engine.js';

/** A compiled tfjs model with members that its declarations keep to themselves. */
interface OpenModel {
  weights: { val: tf.Variable; constraint: { apply(weight: tf.Tensor): tf.Tensor } | null }[];
  inputs: unknown[];
  outputs: unknown[];
  optimizer_: unknown;
  testFunction?: unknown;
  makeTrainFunction(): (data: (tf.Tensor | undefined)[]) => tf.Scalar[];
  makeTestFunction(): void;
  apply(x: tf.Tensor[], options: object): tf.Tensor | tf.Tensor[];
}

/**
 * Has tfjs compute the steps, eagerly and on its cpu backend, with the model built anew in this thread: for models that cannot be
 * traced, and as a reference. A shard is a batch of its own, whose gradient counts with its share of the rows.
 */
export class TfjsEngine implements GradientEngine {
  readonly tensorMemory = 'copied';
  gatherMilliseconds = 0;
  readonly #arena: Arena;
  readonly #setup: ReplicaSetup;
  readonly #eager: EagerModel;
  readonly #model: OpenModel;
  #weights: Float32Array;
  #data: DataSet | undefined;
  #order: Int32Array | null = null;

  /** @throws Error if the model cannot be built, or is another than the one to be trained. */
  static async create(arena: Arena, setup: ReplicaSetup, eager: EagerModel): Promise<TfjsEngine> {
    // Before tfjs is first used: it would greet on stderr otherwise.
    tf.enableProdMode();
    await tf.setBackend('cpu');
    return new TfjsEngine(arena, setup, eager, open(await build(eager), setup));
  }

  constructor(arena: Arena, setup: ReplicaSetup, eager: EagerModel, model: OpenModel) {
    this.#arena = arena;
    this.#setup = setup;
    this.#eager = eager;
    this.#model = model;
    this.#weights = arena.floats('weights');
  }

  add(_work: Work, _programs: StepProgram[]): void {}

  useData(data: DataSet, shuffled: boolean): void {
    this.#data = data;
    this.#order = shuffled ? this.#arena.ints('permutation') : null;
  }

  readWeights(replica: Float32Array = this.#arena.floats('weights')): void {
    this.#weights = replica;
  }

  stages(): number {
    return 1;
  }

  exchange(): void {}

  run(work: Work, shard: Shard): void {
    tf.tidy(() => {
      this.#assignWeights();
      const rows = this.#rowsOf(shard);
      const logs = work === 'training' ? this.#train(rows, shard) : this.#evaluate(rows);
      this.#writeLogs(logs, shard);
    });
  }

  predict(batch: Shard, outputs: Column[]): void {
    tf.tidy(() => {
      this.#assignWeights();
      const features = this.#rowsOf(batch).slice(0, this.#model.inputs.length) as tf.Tensor[];
      [this.#model.apply(features, { training: false })].flat().forEach((output, index) => {
        const { segment, rowSize } = outputs[index] as Column;
        this.#arena.array(segment).set(output.dataSync() as Float32Array, batch.start * rowSize);
      });
    });
  }

  constrain(index: number): void {
    const [output] = (this.#setup.programs.constraint[index] as StepProgram).outputs as [ProgramOutput];
    const { role } = output;
    if (role.kind !== 'constrained') return;
    const { offset, size } = parameterAt(this.#setup.parameters, role.index);
    const target = this.#arena.floats('weights').subarray(offset, offset + size);
    tf.tidy(() => {
      const { val, constraint } = this.#model.weights[role.index] as OpenModel['weights'][number];
      const weight = tf.tensor(Float32Array.from(target), val.shape);
      if (constraint) target.set(constraint.apply(weight).dataSync() as Float32Array);
    });
  }

  dispose(): void {}

  #assignWeights(): void {
    for (const { index, offset, size } of this.#setup.parameters.parameters) {
      const weight = this.#model.weights[index];
      // tfjs' cpu backend keeps the array it is given.
      const values = this.#weights.slice(offset, offset + size);
      weight?.val.assign(tf.tensor(Float32Array.from(values), weight.val.shape));
    }
  }

  /** Inputs, targets and, where there are any, weights of the rows. */
  #rowsOf(shard: Shard): (tf.Tensor | undefined)[] {
    const started = performance.now();
    const { features, targets, sampleWeights } = this.#data as DataSet;
    const take = (column: Column, { shape, dtype }: TensorSpec): tf.Tensor => {
      const values: ArenaArray = allocate(dtype, shard.rows * column.rowSize);
      gatherRows(this.#arena.array(column.segment), column.rowSize, values, shard, this.#order);
      return tf.tensor(values, [shard.rows, ...shape], dtype);
    };
    const all = (columns: Column[], specs: TensorSpec[]) => columns.map((c, i) => take(c, specs[i] as TensorSpec));
    const weights = sampleWeights.map((column) => column && take(column, { shape: [], dtype: 'float32' }));
    const rows = [...all(features, this.#eager.features), ...all(targets, this.#eager.targets), ...weights];
    this.gatherMilliseconds += performance.now() - started;
    return rows;
  }

  #train(rows: (tf.Tensor | undefined)[], shard: Shard): tf.Scalar[] {
    // The optimizer's place is taken by a recorder: it differentiates but updates nothing.
    const minimize = (f: () => tf.Scalar, _returnCost: boolean, variables: tf.Variable[]): tf.Scalar => {
      const { value, grads } = tf.variableGrads(f, variables);
      this.#writeSlot(grads, shard);
      return value;
    };
    const { optimizer_ } = this.#model;
    this.#model.optimizer_ = { minimize };
    try {
      return this.#model.makeTrainFunction()(rows);
    } finally {
      this.#model.optimizer_ = optimizer_;
    }
  }

  #evaluate(rows: (tf.Tensor | undefined)[]): tf.Scalar[] {
    this.#model.testFunction = undefined;
    this.#model.makeTestFunction();
    const values = (this.#model.testFunction as unknown as (data: unknown[]) => tf.Scalar[])(rows);
    // With several outputs tfjs lists running totals of the loss first; the last of them is the loss.
    return values.slice(this.#model.outputs.length - 1);
  }

  /** Gradients, and what replaces weights that are not trained, as parts of the mini-batch's. */
  #writeSlot(gradients: tf.NamedTensorMap, shard: Shard): void {
    const { parameters } = this.#setup;
    const slot = this.#arena.floats('gradients').subarray(shard.index * parameters.replacedEnd);
    const share = shard.rows / shard.batchRows;
    for (const { index, role } of parameters.parameters) {
      if (role === 'fixed') continue;
      const { offset, size } = parameterAt(parameters, index);
      const { val } = this.#model.weights[index] as { val: tf.Variable };
      const values = (role === 'trained' ? gradients[val.name] : val)?.dataSync() as Float32Array | undefined;
      for (let i = 0; i < size; i++) slot[offset + i] = (values?.[i] ?? 0) * share;
    }
  }

  #writeLogs(logs: tf.Scalar[], shard: Shard): void {
    const { shards, logCount } = this.#setup;
    const offset = (shard.step * shards + shard.index) * logCount;
    const target = this.#arena.floats('logs');
    for (let i = 0; i < logCount; i++) target[offset + i] = (logs[i]?.dataSync()[0] as number) * shard.share;
  }
}

async function build({ source }: EagerModel): Promise<tf.LayersModel> {
  if ('module' in source) {
    const { build: make } = (await import(source.module)) as { build?: () => Promise<tf.LayersModel> | tf.LayersModel };
    if (typeof make === 'function') return make();
    throw new Error(`${source.module} exports no function build(), which should return the compiled model`);
  }
  const model = await tf.models.modelFromJSON({ modelTopology: source.topology as never }).catch((error: Error) => {
    throw new Error(
      `the model cannot be built anew in a worker (${error.message}): give modelModule, the URL of a module whose build() ` +
        'returns the compiled model',
    );
  });
  if (source.loss !== undefined) {
    model.compile({ optimizer: 'sgd', loss: source.loss as string, metrics: source.metrics as string[] });
  }
  return model;
}

/** @throws Error if its weights are others than those that are trained. */
function open(model: tf.LayersModel, { parameters }: ReplicaSetup): OpenModel {
  const inner = (
    model instanceof tf.Sequential ? (model as unknown as { model: OpenModel }).model : model
  ) as OpenModel;
  const shapes = inner.weights.map(({ val }) => `[${val.shape}]`).join(' ');
  const wanted = [...parameters.parameters].sort((a, b) => a.index - b.index);
  const expected = wanted.map(({ shape }) => `[${shape}]`).join(' ');
  if (shapes === expected) return inner;
  throw new Error(
    `the model that was built in the worker has weights of the shapes ${shapes}, the one to train ${expected}`,
  );
}
