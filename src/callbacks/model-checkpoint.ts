import * as tf from '@tensorflow/tfjs';
import { checkNames } from '../common/option-names.js';
import { show } from '../common/show.js';
import { saveModel } from '../saved-model/save-model.js';
import { MONITOR_OPTIONS, Monitor, type MonitorOptions } from './monitor.js';
import { resolveLogs, type UnresolvedLogs } from './resolve-logs.js';

/** Options of `modelCheckpoint`, with the names of Keras. */
export interface ModelCheckpointOptions extends MonitorOptions {
  /** Where the model is saved. `{epoch}` stands for the number of epochs trained: with it every save has a folder of its own. */
  folder: string;
  /** Whether only models that are better than all before are saved. Default false: after every epoch. */
  saveBestOnly?: boolean;
}

/**
 * Saves the model after each epoch, or after each that is the best so far. A callback for `fit`, and for tfjs' `model.fit`.
 * Whatever happens meanwhile, the folder holds a whole model: the new one or the one before; see `saveModel`.
 *
 * @throws TypeError or RangeError for options that are none; `fit` rejects with SavedModelError if a model cannot be saved.
 */
export function modelCheckpoint(options: ModelCheckpointOptions): tf.Callback {
  checkNames('modelCheckpoint', options, [...MONITOR_OPTIONS, 'folder', 'saveBestOnly']);
  const { folder, saveBestOnly = false } = options;
  if (typeof folder !== 'string' || folder === '') {
    throw new TypeError(`modelCheckpoint: folder must be the path of a folder, got ${show(folder)}`);
  }
  return new ModelCheckpoint(folder, saveBestOnly ? new Monitor('modelCheckpoint', options) : undefined);
}

class ModelCheckpoint extends tf.Callback {
  readonly #folder: string;
  /** Over all fits that it is given to: a second one does not begin with a save of something worse. */
  readonly #monitor: Monitor | undefined;

  constructor(folder: string, monitor: Monitor | undefined) {
    super();
    this.#folder = folder;
    this.#monitor = monitor;
  }

  override async onEpochEnd(epoch: number, logs: UnresolvedLogs = {}): Promise<void> {
    if (this.#monitor && !this.#monitor.isBest(await resolveLogs(logs))) return;
    await saveModel(this.#folder.replaceAll('{epoch}', String(epoch + 1)), this.model);
  }
}
