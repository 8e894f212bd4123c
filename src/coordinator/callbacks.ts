import * as tf from '@tensorflow/tfjs';
import type { FitOptions, ResolvedOptions } from './options.js';
import type { RowSource } from './row-source.js';
import { unlessAborted } from './unless-aborted.js';

/** Puts callbacks into tfjs' own list, behind which stands tfjs' own `History`. */
export function configureCallbacks(
  model: tf.LayersModel,
  { callbacks, epochs, initialEpoch, optimizer, signal }: ResolvedOptions,
  { rows: samples, steps, batchSize }: RowSource,
  metrics: string[],
  doValidation: boolean,
): { list: tf.CallbackList; history: tf.History; userCallbacks: boolean } {
  const history = new tf.History();
  const list = abortable(new tf.CallbackList([...callbacks, history]), signal);
  list.setModel(model);
  // The names that tfjs' callbacks find in their params.
  const params = {
    ...{ epochs, initialEpoch, batchSize, verbose: 0, doValidation, metrics },
    ...(samples !== undefined && { samples }),
    ...(steps !== undefined && { steps }),
    // Only here: that the optimizer of `compile` is not the one that trains.
    ...(optimizer && { optimizer: optimizer.kind }),
  };
  list.setParams(params);
  return { list, history, userCallbacks: callbacks.length > 0 };
}

/** Has the wait for a callback end with the signal. */
function abortable(list: tf.CallbackList, signal: AbortSignal | undefined): tf.CallbackList {
  if (!signal) return list;
  for (const name of NAMES.filter((name) => name !== 'onYield') as (keyof tf.CallbackList)[]) {
    const method = list[name] as (...args: unknown[]) => Promise<void>;
    Object.assign(list, { [name]: (...args: unknown[]) => unlessAborted(() => method.apply(list, args), signal) });
  }
  return list;
}

/**
 * One list of tfjs' callbacks from whatever form they were given in.
 *
 * @throws TypeError for what is no callback.
 */
export function standardizeCallbacks({ callbacks, yieldEvery = 'auto' }: FitOptions): tf.CustomCallback[] {
  if (callbacks === undefined || callbacks === null) return [];
  const list = Array.isArray(callbacks) ? callbacks : [callbacks];
  return list.map((callback) => {
    checkHandlers(callback);
    if (isCallback(callback)) return callback;
    return new tf.CustomCallback(callback, yieldEvery);
  });
}

function isCallback(value: object): value is tf.CustomCallback {
  return 'setParams' in value && 'onTrainBegin' in value;
}

const NAMES = ['onTrainBegin', 'onTrainEnd', 'onEpochBegin', 'onEpochEnd', 'onBatchBegin', 'onBatchEnd', 'onYield'];

function checkHandlers(callback: tf.CustomCallbackArgs): void {
  if (typeof callback !== 'object' || callback === null) {
    throw new TypeError(`callbacks must be objects with ${NAMES.join(', ')}, got ${typeof callback}`);
  }
  for (const [name, value] of Object.entries(callback)) {
    if (NAMES.includes(name) && value !== undefined && typeof value !== 'function') {
      throw new TypeError(`callback ${name} must be a function, got ${typeof value}`);
    }
  }
}
