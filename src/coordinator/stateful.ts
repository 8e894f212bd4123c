/** Models with layers that carry states from one mini-batch to the next. tfjs computes them, one worker every mini-batch. */
import type * as tf from '@tensorflow/tfjs';

interface OpenLayer {
  stateful?: boolean;
  layers?: OpenLayer[];
  resetStates(states?: unknown, ...more: unknown[]): void;
}

export function isStateful(model: tf.LayersModel): boolean {
  return (model as unknown as OpenLayer).stateful === true;
}

/**
 * Checks that every mini-batch has as many rows as there are states.
 *
 * @param name what to call the rows in errors.
 * @throws RangeError for a stateful model and rows that do not divide into its mini-batches.
 */
export function checkStatefulRows(model: tf.LayersModel, rows: number, batchSize: number, name: string): void {
  if (!isStateful(model)) return;
  const fixed = model.inputs[0]?.shape[0] ?? undefined;
  const size = Math.min(batchSize, rows);
  if (fixed !== undefined && size !== fixed) {
    throw new RangeError(
      `the model is stateful, with states for mini-batches of ${fixed} rows, got ${name} in mini-batches of ${size}: ` +
        `batchSize must be ${fixed}, and ${name} have a multiple of ${fixed} rows`,
    );
  }
  if (rows % size === 0) return;
  throw new RangeError(
    `the model is stateful: ${name} must have a multiple of ${size} rows, the batch size, got ${rows}; leave out ${rows % size} of them`,
  );
}

/** @throws TypeError for a stateful model whose mini-batches would be cut: a piece of one has no states to go on with. */
export function checkNotCut(model: tf.LayersModel, shards: number): void {
  if (shards === 1 || !isStateful(model)) return;
  throw new TypeError(
    `the model is stateful: its mini-batches cannot be cut into ${shards} shards; leave out batchStatistics and update, or give shards: 1`,
  );
}

/** Notices that a callback resets the states of a model: those that count are in a worker. */
export class StateResets implements Disposable {
  readonly #restores: (() => void)[] = [];
  #asked = false;

  constructor(model: tf.LayersModel) {
    if (isStateful(model)) this.#watch(model as unknown as OpenLayer);
  }

  /** Whether a reset has been asked for since it was last taken. */
  get asked(): boolean {
    return this.#asked;
  }

  take(): boolean {
    const asked = this.#asked;
    this.#asked = false;
    return asked;
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restores) restore();
  }

  #watch({ layers = [] }: OpenLayer): void {
    for (const layer of layers) {
      if (layer.layers) this.#watch(layer);
      if (layer.stateful !== true) continue;
      const own = Object.getOwnPropertyDescriptor(layer, 'resetStates');
      const { resetStates } = layer;
      layer.resetStates = (states, ...more) => {
        // With states it is the layer itself, which keeps those of a mini-batch.
        if (states === undefined || states === null) this.#asked = true;
        resetStates.call(layer, states, ...more);
      };
      this.#restores.push(() => {
        if (own) Object.defineProperty(layer, 'resetStates', own);
        else delete (layer as Partial<OpenLayer>).resetStates;
      });
    }
  }
}
