import * as tf from '@tensorflow/tfjs';
import { type ArrayInput, isPlainObject, type TensorInput } from './data-in.js';
import { type MatchedData, matchData } from './match-data.js';
import { type ClassWeight, weighClasses } from './sample-weights.js';
import { unlessAborted } from './unless-aborted.js';

/** One element of a data set: a batch of rows. */
export interface DatasetBatch {
  xs: TensorInput;
  ys: TensorInput;
}

/** What `fitDataset` reads batches from: a `tf.data.Dataset`, or anything else with such an iterator. */
export interface BatchDataset {
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown>> }>;
}

interface ReaderOptions {
  /** What to call the data set in errors. */
  name: string;
  classWeight?: ClassWeight | undefined;
  /** Ends the wait for a batch. */
  signal?: AbortSignal | undefined;
}

/** Reads a data set batch by batch, and holds each against the model and the first. */
export class BatchReader {
  readonly #model: tf.LayersModel;
  readonly #dataset: BatchDataset;
  readonly #options: ReaderOptions;
  #iterator: Awaited<ReturnType<BatchDataset['iterator']>> | undefined;
  /** Batches read since the last beginning. */
  #count = 0;
  #first: MatchedData | undefined;
  #held: MatchedData | undefined;

  constructor(model: tf.LayersModel, dataset: BatchDataset, options: ReaderOptions) {
    this.#model = model;
    this.#dataset = checkedDataset(dataset, options.name);
    this.#options = options;
  }

  /** Rows of the first batch, the most that any has; 0 before it was read. */
  get mostRows(): number {
    return this.#first?.rows ?? 0;
  }

  /**
   * Reads the first batch, which `next` then gives.
   *
   * @throws RangeError if there is none.
   */
  async first(): Promise<MatchedData> {
    const first = await this.next();
    if (!first) throw new RangeError(`${this.#options.name} has no batches: its iterator ended at once`);
    this.hold(first);
    return first;
  }

  /** Goes back to the beginning of the data set. */
  restart(): void {
    this.#iterator = undefined;
    this.#held = undefined;
  }

  /** Gives a batch once more with the next `next`. */
  hold(batch: MatchedData): void {
    this.#held = batch;
  }

  /**
   * The next batch; undefined behind the last.
   *
   * @throws TypeError or RangeError if it does not fit the model or the first batch, or if there is none after a restart; the
   * signal's reason; what the data set throws.
   */
  async next(): Promise<MatchedData | undefined> {
    const held = this.#held;
    this.#held = undefined;
    if (held) return held;
    const { name, signal } = this.#options;
    signal?.throwIfAborted();
    if (!this.#iterator) {
      this.#iterator = await unlessAborted(() => this.#dataset.iterator(), signal, 0);
      this.#count = 0;
    }
    const iterator = this.#iterator;
    const { value, done } = await unlessAborted(() => iterator.next(), signal, 0);
    if (!done) return this.#match(value);
    if (this.#count > 0 || !this.#first) return undefined;
    throw new RangeError(
      `${name} gave no batches when it was read once more: its iterator() must begin anew each time it is called`,
    );
  }

  async #match(value: unknown): Promise<MatchedData> {
    const name = `batch ${++this.#count} of ${this.#options.name}`;
    const { xs, ys } = elementOf(value, name);
    try {
      const names: [string, string, string] = [`xs in ${name}`, `ys in ${name}`, ''];
      const data = await matchData(this.#model, xs, ys, names, undefined);
      const batch = { ...data, sampleWeights: weighClasses(this.#model, data, this.#options.classWeight) };
      this.#first ??= batch;
      checkLikeFirst(batch, this.#first, name);
      return batch;
    } finally {
      for (const tensor of [...tensorsOf(xs), ...tensorsOf(ys)]) tensor.dispose();
    }
  }
}

function elementOf(value: unknown, name: string): DatasetBatch {
  const { xs, ys } = (value ?? {}) as Partial<DatasetBatch>;
  if (xs !== undefined && ys !== undefined) return { xs, ys };
  tf.dispose(value as tf.TensorContainer);
  throw new TypeError(`${name} must be an object { xs, ys } with the rows of a batch, got ${describe(value)}`);
}

/** The data set with a look at what its iterators are and give. */
function checkedDataset(dataset: BatchDataset, name: string): BatchDataset {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null;
  return {
    iterator: async () => {
      const iterator = await dataset.iterator();
      if (typeof (iterator as Partial<typeof iterator> | undefined)?.next !== 'function') {
        throw new TypeError(`iterator() of ${name} must give an object with next(), got ${describe(iterator)}`);
      }
      return {
        next: async () => {
          const result = await iterator.next();
          if (isObject(result)) return result;
          throw new TypeError(`next() of ${name} must give { value, done }, got ${describe(result)}`);
        },
      };
    },
  };
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return `one with ${Object.keys(value).join(', ') || 'nothing in it'}`;
}

/** What the memory of the workers and their programs are made for. */
function checkLikeFirst(batch: MatchedData, first: MatchedData, name: string): void {
  for (const kind of ['features', 'targets'] as const) {
    batch[kind].forEach(({ shape, dtype }, i) => {
      const like = first[kind][i] as { shape: number[]; dtype: string };
      if (String(shape.slice(1)) === String(like.shape.slice(1)) && dtype === like.dtype) return;
      throw new RangeError(
        `${kind === 'features' ? 'xs' : 'ys'} in ${name} has the shape [${shape}] and type ${dtype}, the first batch ` +
          `[${like.shape}] and ${like.dtype}: all batches must be alike but for their number of rows; pad the rows to one size`,
      );
    });
  }
  if (batch.rows <= first.rows) return;
  throw new RangeError(
    `${name} has ${batch.rows} rows, the first had ${first.rows}: no batch may have more than the first`,
  );
}

function tensorsOf(input: TensorInput): tf.Tensor[] {
  const arrays: ArrayInput[] =
    Array.isArray(input) || isPlainObject(input)
      ? Object.values(input as Record<string, ArrayInput>)
      : [input as ArrayInput];
  return arrays.filter((array): array is tf.Tensor => typeof (array as tf.Tensor | null)?.dispose === 'function');
}
