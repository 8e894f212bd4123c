import * as tf from '@tensorflow/tfjs';
import { checkNames } from '../common/option-names.js';
import { show } from '../common/show.js';
import { MONITOR_OPTIONS, Monitor, type MonitorOptions } from './monitor.js';
import { resolveLogs, type UnresolvedLogs } from './resolve-logs.js';

/** Options of `earlyStopping`, with the names of Keras. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which training ends. Default 0: at the first. */
  patience?: number;
  /** Value that the first epochs have to beat. */
  baseline?: number;
  /** Whether the model has the weights of the best epoch when training is over, rather than those of the last. Default false. */
  restoreBestWeights?: boolean;
  /** Epochs at the beginning that are not watched. Default 0. */
  startFromEpoch?: number;
}

const OPTIONS = [...MONITOR_OPTIONS, 'patience', 'baseline', 'restoreBestWeights', 'startFromEpoch'];

/**
 * Ends training when what is monitored no longer improves. A callback for `fit`, and for tfjs' `model.fit`, whose own
 * `earlyStopping` has no `restoreBestWeights`.
 *
 * @throws TypeError or RangeError for options that are none; `fit` rejects if there is no such log.
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): tf.Callback {
  checkNames('earlyStopping', options, OPTIONS);
  const { patience = 0, startFromEpoch = 0, baseline, restoreBestWeights = false } = options;
  for (const [name, value] of Object.entries({ patience, startFromEpoch })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`earlyStopping: ${name} must be a whole number of at least 0, got ${show(value)}`);
    }
  }
  if (baseline !== undefined && !Number.isFinite(baseline)) {
    throw new RangeError(`earlyStopping: baseline must be a finite number, got ${show(baseline)}`);
  }
  const newMonitor = () => new Monitor('earlyStopping', options, baseline);
  return new EarlyStopping(newMonitor, { patience, startFromEpoch, restoreBestWeights });
}

type Watch = Required<Pick<EarlyStoppingOptions, 'patience' | 'startFromEpoch' | 'restoreBestWeights'>>;

class EarlyStopping extends tf.Callback {
  readonly #newMonitor: () => Monitor;
  readonly #options: Watch;
  #monitor: Monitor;
  #waited = 0;
  #best: tf.Tensor[] = [];

  constructor(newMonitor: () => Monitor, options: Watch) {
    super();
    this.#newMonitor = newMonitor;
    this.#monitor = newMonitor();
    this.#options = options;
  }

  override async onTrainBegin(): Promise<void> {
    this.#monitor = this.#newMonitor();
    this.#waited = 0;
    this.#forget();
  }

  override async onEpochEnd(epoch: number, logs: UnresolvedLogs = {}): Promise<void> {
    const { patience, startFromEpoch, restoreBestWeights } = this.#options;
    if (epoch < startFromEpoch) return;
    if (this.#monitor.isBest(await resolveLogs(logs))) {
      this.#waited = 0;
      this.#forget();
      if (restoreBestWeights) this.#best = this.model.getWeights().map((weight) => tf.keep(weight.clone()));
      return;
    }
    this.#waited++;
    if (this.#waited >= patience) this.model.stopTraining = true;
  }

  override async onTrainEnd(): Promise<void> {
    if (this.#best.length > 0) this.model.setWeights(this.#best);
    this.#forget();
  }

  #forget(): void {
    tf.dispose(this.#best);
    this.#best = [];
  }
}
