import * as tf from '@tensorflow/tfjs';
import { checkNames } from '../common/option-names.js';
import { show } from '../common/show.js';
import { MONITOR_OPTIONS, Monitor, type MonitorOptions } from './monitor.js';
import { resolveLogs, type UnresolvedLogs } from './resolve-logs.js';

/** Options of `reduceLROnPlateau`, with the names of Keras. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied by, in (0, 1). Default 0.1. */
  factor?: number;
  /** Epochs without improvement after which it is. Default 10. */
  patience?: number;
  /** Epochs after a reduction in which nothing is counted. Default 0. */
  cooldown?: number;
  /** The learning rate does not fall below this. Default 0. */
  minLr?: number;
}

/**
 * Reduces the learning rate of the optimizer that the model was compiled with when what is monitored no longer improves. A
 * callback for `fit`, and for tfjs' `model.fit`. As in Keras, `minDelta` is 1e-4 unless given.
 *
 * @throws RangeError or TypeError for options that are none; `fit` rejects if there is no such log, or if it was given an
 * `optimizer` of its own, whose rate is what its description says.
 */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): tf.Callback {
  checkNames('reduceLROnPlateau', options, [...MONITOR_OPTIONS, 'factor', 'patience', 'cooldown', 'minLr']);
  const { factor = 0.1, patience = 10, cooldown = 0, minLr = 0 } = options;
  const require = (fits: boolean, what: string, value: unknown) => {
    if (!fits) throw new RangeError(`reduceLROnPlateau: ${what}, got ${show(value)}`);
  };
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  require(factor > 0 && factor < 1, 'factor must be in (0, 1)', factor);
  require(isCount(patience), 'patience must be a whole number of at least 0', patience);
  require(isCount(cooldown), 'cooldown must be a whole number of at least 0', cooldown);
  require(Number.isFinite(minLr) && minLr >= 0, 'minLr must be a number of at least 0', minLr);
  const newMonitor = () => new Monitor('reduceLROnPlateau', { minDelta: 1e-4, ...options });
  return new ReduceLROnPlateau(newMonitor, { factor, patience, cooldown, minLr });
}

type Plan = Required<Omit<ReduceLROnPlateauOptions, keyof MonitorOptions>>;

class ReduceLROnPlateau extends tf.Callback {
  readonly #newMonitor: () => Monitor;
  readonly #plan: Plan;
  #monitor: Monitor;
  #waited = 0;
  #cooling = 0;

  constructor(newMonitor: () => Monitor, plan: Plan) {
    super();
    this.#newMonitor = newMonitor;
    this.#monitor = newMonitor();
    this.#plan = plan;
  }

  override async onTrainBegin(): Promise<void> {
    if (this.params.optimizer !== undefined) {
      throw new TypeError(
        'reduceLROnPlateau changes the rate of the optimizer of model.compile, but fit was given another one: leave out its option optimizer',
      );
    }
    this.#monitor = this.#newMonitor();
    this.#waited = 0;
    this.#cooling = 0;
  }

  override async onEpochEnd(_epoch: number, logs: UnresolvedLogs = {}): Promise<void> {
    const { patience, cooldown } = this.#plan;
    if (this.#cooling > 0) {
      this.#cooling--;
      this.#waited = 0;
    }
    if (this.#monitor.isBest(await resolveLogs(logs))) {
      this.#waited = 0;
      return;
    }
    if (this.#cooling > 0) return;
    this.#waited++;
    if (this.#waited < patience) return;
    this.#reduce();
    this.#cooling = cooldown;
    this.#waited = 0;
  }

  #reduce(): void {
    const { factor, minLr } = this.#plan;
    // tfjs keeps the rate in a protected field; those that also keep it as a tensor have a method to change both.
    const optimizer = this.model.optimizer as unknown as { learningRate: number; setLearningRate?(rate: number): void };
    const rate = Math.max(minLr, optimizer.learningRate * factor);
    if (rate >= optimizer.learningRate) return;
    if (optimizer.setLearningRate) optimizer.setLearningRate(rate);
    else optimizer.learningRate = rate;
  }
}
