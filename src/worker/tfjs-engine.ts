import * as tf from '@tensorflow/tfjs';
import type { Arena, ArenaArray } from '../common/arena.js';
import { allocate } from '../common/arena.js';
import { copyValues } from '../common/copy.js';
import { parameterAt } from '../common/parameters.js';
import type { DType, ProgramOutput, StepProgram, TensorSpec } from '../common/program.js';
import type { Column, DataSet, EagerModel, ReplicaSetup, Work } from '../common/protocol.js';
import { keepsOwnWeights } from '../common/update-rules.js';
import { type OpenModel, type OpenWeight, openModel } from '../compiler/trace/engine.js';
import { type BatchTensors, runEvaluation, runTraining } from '../compiler/trace/model-steps.js';
import { loadKernels } from '../kernels/kernels.js';
import { Gatherer, type OpenColumn, type OpenData, openData } from './gather.js';
import type { GradientEngine, Shard } from './gradient-engine.js';
import { SeededDraws } from './seeded-draws.js';
import { useFastestBackend } from './wasm-backend.js';

interface GatheredRows {
  data: ArenaArray[];
  sampleWeights: (ArenaArray | undefined)[];
}

/**
 * Has tfjs compute the steps, eagerly and on its wasm or cpu backend, with the model built anew in this thread: for models that cannot
 * be traced, and as a reference. A shard is a batch of its own, whose gradient counts with its share of the rows.
 */
export class TfjsEngine implements GradientEngine {
  readonly tensorMemory = 'copied';
  readonly #arena: Arena;
  readonly #setup: ReplicaSetup;
  readonly #eager: EagerModel;
  readonly #built: tf.LayersModel;
  readonly #model: OpenModel;
  readonly #gatherer: Gatherer;
  readonly #draws: SeededDraws;
  /** Weights of this thread alone, where they must not change while a step is computed on them. */
  readonly #ownWeights: Float32Array | undefined;
  #weights: Float32Array;
  #data: OpenData | undefined;
  #order: Int32Array | null = null;
  /** Rows of the shard at hand: of each feature and target, and the weights of samples. */
  #rows: GatheredRows = { data: [], sampleWeights: [] };

  /** @throws Error if the model cannot be built, or is another than the one to be trained. */
  static async create(arena: Arena, setup: ReplicaSetup, eager: EagerModel): Promise<TfjsEngine> {
    // Before tfjs is first used: it would greet on stderr otherwise.
    tf.enableProdMode();
    await useFastestBackend();
    const model = await build(eager);
    try {
      return new TfjsEngine(arena, setup, eager, model);
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  constructor(arena: Arena, setup: ReplicaSetup, eager: EagerModel, model: tf.LayersModel) {
    this.#arena = arena;
    this.#setup = setup;
    this.#eager = eager;
    this.#built = model;
    this.#model = openAlike(model, setup);
    this.#draws = new SeededDraws(this.#model, setup.key);
    this.#gatherer = new Gatherer(arena, loadKernels(setup.memory), setup.rank);
    const weights = arena.floats('weights');
    this.#ownWeights = keepsOwnWeights(setup.rule) ? Float32Array.from(weights) : undefined;
    this.#weights = this.#ownWeights ?? weights;
  }

  add(_work: Work, _programs: StepProgram[]): void {}

  useData(data: DataSet, shuffled: boolean): void {
    this.#data = openData(this.#arena, data);
    this.#order = shuffled ? this.#arena.ints('permutation') : null;
  }

  readWeights(replica: Float32Array = this.#arena.floats('weights')): void {
    // A replica has no weights that stay fixed: those are kept from the arena's.
    if (this.#ownWeights) copyValues(replica, this.#ownWeights);
    else this.#weights = replica;
  }

  resetStates(): void {
    (this.#model as unknown as { resetStates(): void }).resetStates();
  }

  stages(): number {
    return 1;
  }

  exchange(): void {}

  readonly usesTapes = false;

  gather(_work: Work, shard: Shard): void {
    const { feature, target, sampleWeight } = this.#data as OpenData;
    const take = (column: OpenColumn, dtype: DType): ArenaArray => {
      const values = allocate(dtype, shard.rows * column.rowSize);
      this.#gatherer.gather(column, values, shard, this.#order);
      return values;
    };
    const all = (columns: OpenColumn[], specs: TensorSpec[]) =>
      columns.map((column, i) => take(column, (specs[i] as TensorSpec).dtype));
    this.#rows = {
      data: [...all(feature, this.#eager.features), ...all(target, this.#eager.targets)],
      sampleWeights: sampleWeight.map((column) => column && take(column, 'float32')),
    };
  }

  run(work: Work, shard: Shard): void {
    tf.tidy(() => {
      this.#assignWeights();
      this.#draws.begin(shard);
      const batch = this.#batchOf(shard);
      const write = (gradients: tf.NamedTensorMap) => this.#writeSlot(gradients, shard);
      const logs = work === 'training' ? runTraining(this.#model, batch, write) : runEvaluation(this.#model, batch);
      this.#writeLogs(logs, shard);
      tf.dispose(logs);
    });
  }

  predict(batch: Shard, outputs: Column[]): void {
    this.gather('prediction', batch);
    tf.tidy(() => {
      this.#assignWeights();
      const features = this.#batchOf(batch).data.slice(0, this.#model.inputs.length);
      const model = this.#model as unknown as { apply(x: tf.Tensor[], options: object): tf.Tensor | tf.Tensor[] };
      [model.apply(features, { training: false })].flat().forEach((output, index) => {
        const { segment, rowSize } = outputs[index] as Column;
        this.#arena.array(segment).set(output.dataSync() as Float32Array, batch.start * rowSize);
      });
    });
  }

  constrain(index: number, weights: Float32Array): void {
    const [output] = (this.#setup.programs.constraint[index] as StepProgram).outputs as [ProgramOutput];
    const { role } = output;
    if (role.kind !== 'constrained') return;
    const { offset, size } = parameterAt(this.#setup.parameters, role.index);
    const target = weights.subarray(offset, offset + size);
    tf.tidy(() => {
      const { val, constraint } = this.#model.weights[role.index] as OpenWeight;
      const weight = tf.tensor(Float32Array.from(target), val.shape);
      if (constraint) target.set(constraint.apply(weight).dataSync() as Float32Array);
    });
  }

  dispose(): void {
    this.#built.dispose();
  }

  #assignWeights(): void {
    for (const { index, offset, size } of this.#setup.parameters.parameters) {
      const weight = this.#model.weights[index];
      // tfjs' cpu backend keeps the array it is given.
      const values = this.#weights.slice(offset, offset + size);
      weight?.val.assign(tf.tensor(Float32Array.from(values), weight.val.shape));
    }
  }

  #batchOf({ rows }: Shard): BatchTensors {
    const specs = [...this.#eager.features, ...this.#eager.targets];
    const data = this.#rows.data.map((values, i) => {
      const { shape, dtype } = specs[i] as TensorSpec;
      return tf.tensor(values, [rows, ...shape], dtype);
    });
    const sampleWeights = this.#rows.sampleWeights.map((values) => values && tf.tensor(values, [rows]));
    return { rows, data, sampleWeights };
  }

  /** Gradients, and what replaces weights that are not trained, as parts of the mini-batch's. */
  #writeSlot(gradients: tf.NamedTensorMap, shard: Shard): void {
    const { parameters } = this.#setup;
    const slot = this.#arena.floats('gradients').subarray(shard.index * parameters.replacedEnd);
    const share = shard.rows / shard.batchRows;
    for (const { index, role } of parameters.parameters) {
      if (role === 'fixed') continue;
      const { offset, size } = parameterAt(parameters, index);
      const { val } = this.#model.weights[index] as OpenWeight;
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

async function build({ source, reason }: EagerModel): Promise<tf.LayersModel> {
  if ('module' in source) {
    const { build: make } = (await import(source.module)) as { build?: () => Promise<tf.LayersModel> | tf.LayersModel };
    if (typeof make === 'function') return newModel(await make(), source.module);
    throw new Error(`${source.module} exports no function build(), which should return the compiled model`);
  }
  const model = await tf.models.modelFromJSON({ modelTopology: source.topology as never }).catch((error: Error) => {
    throw new Error(
      `${reason ? `${reason}; tfjs would compute it, but ` : ''}the model cannot be built anew in a worker: ${whyNotBuilt(error)}; ` +
        'give modelModule, the URL of a module whose build() returns the compiled model',
    );
  });
  if (source.loss !== undefined) {
    model.compile({ optimizer: 'sgd', loss: source.loss as string, metrics: source.metrics as string[] });
  }
  return model;
}

/** tfjs' error for layers of the user's own gives advice that helps in no other thread. */
function whyNotBuilt({ message }: Error): string {
  const [, layer] = /^Unknown layer: ([^\s.]+)/.exec(message) ?? [];
  return layer ? `the layer class '${layer}' is not tfjs' own, and unknown there` : message;
}

/** Models that modules have built in this thread: their weights are gone once a training is over. */
const known = new WeakSet<tf.LayersModel>();

/** @throws Error for a model that was built before. */
function newModel(model: tf.LayersModel, module: string): tf.LayersModel {
  if (known.has(model)) {
    throw new Error(`build() of ${module} returned the same model a second time: have it make a new one each time`);
  }
  known.add(model);
  return model;
}

/** @throws Error if its weights are others than those that are trained. */
function openAlike(model: tf.LayersModel, { parameters }: ReplicaSetup): OpenModel {
  const inner = openModel(model, false);
  const shapes = inner.weights.map(({ val }) => `[${val.shape}]`).join(' ');
  const wanted = [...parameters.parameters].sort((a, b) => a.index - b.index);
  const expected = wanted.map(({ shape }) => `[${shape}]`).join(' ');
  if (shapes === expected) return inner;
  throw new Error(
    `the model that was built in the worker has weights of the shapes ${shapes}, the one to train ${expected}`,
  );
}
