import type * as tf from '@tensorflow/tfjs';
import { type Optimizer, slotsOf } from '../common/optimizers/index.js';
import type { EpochPlan, EpochReport } from '../common/protocol.js';
import { batchCount } from '../common/shards.js';
import { configureCallbacks } from './callbacks.js';
import { EpochLogs } from './epoch-logs.js';
import type { FitHistory } from './fit.js';
import { describeCompiled } from './optimizer-state.js';
import type { ResolvedOptions } from './options.js';
import type { PreparedFit } from './prepare.js';
import { followEpoch } from './progress.js';
import { ReplicaGroup } from './replica-group.js';
import { RunRecorder } from './run-summary.js';
import { WeightsLedger } from './weights-ledger.js';

/** One call of `fit` from its threads' start to their end. The coordinator schedules epochs; workers do the steps. */
export class Training implements AsyncDisposable {
  readonly #model: tf.LayersModel;
  readonly #prepared: PreparedFit;
  readonly #options: ResolvedOptions;
  readonly #group: ReplicaGroup;
  readonly #callbacks: ReturnType<typeof configureCallbacks>;
  readonly #recorder: RunRecorder;
  readonly #onAbort: () => void;
  /** Updates made by the optimizer and mini-batches trained on, those of earlier fits included. */
  #counts: { updates: number; batches: number };
  readonly #ledger: WeightsLedger;

  constructor(model: tf.LayersModel, prepared: PreparedFit, options: ResolvedOptions) {
    const { setup, arena, control, counts, parameters, arrangement, logNames } = prepared;
    this.#model = model;
    this.#prepared = prepared;
    this.#options = options;
    this.#counts = { ...counts };
    const { training, validation } = setup;
    const names = validation ? [...logNames, ...logNames.map((name) => `val_${name}`)] : logNames;
    this.#callbacks = configureCallbacks(model, options, training.rows, names, validation !== undefined);
    this.#recorder = new RunRecorder(options, training.rows, validation?.rows ?? 0, prepared.warnings);
    this.#ledger = new WeightsLedger(model, arena, parameters.parameters, arrangement);
    this.#onAbort = () => control.requestStop();
    this.#group = new ReplicaGroup(setup, control);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
  }

  /** Trains all epochs and leaves the weights in the model, also when training ends early. */
  async run(): Promise<FitHistory> {
    const { list, history } = this.#callbacks;
    try {
      await this.#group.all((worker) => worker.load());
      this.#options.signal?.throwIfAborted();
      this.#model.stopTraining = false;
      await list.onTrainBegin();
      for (let epoch = this.#options.initialEpoch; epoch < this.#options.epochs; epoch++) {
        await this.#epoch(epoch);
        if (this.#stopAsked) break;
      }
      this.#options.signal?.throwIfAborted();
      this.#ledger.publish();
      await list.onTrainEnd();
    } catch (error) {
      this.#ledger.publish();
      throw this.#withSummary(error);
    }
    return Object.assign(history, { run: this.#recorder.summary() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    await this.#group.close();
  }

  get #stopAsked(): boolean {
    return this.#model.stopTraining || this.#options.signal?.aborted === true;
  }

  async #epoch(epoch: number): Promise<void> {
    const { list, userCallbacks } = this.#callbacks;
    await list.onEpochBegin(epoch);
    if (userCallbacks) this.#ledger.takeOver();
    const logs = this.#logsOf(this.#prepared.setup.training.rows);
    await this.#train(epoch, logs);
    const steps = this.#prepared.control.stepsDone;
    // Before the validation, whose logs take the same place in the arena.
    const means = logs.advance(steps).means();
    if (this.#options.signal?.aborted || steps === 0) return;
    // As in tfjs, an epoch that a callback has cut short is not validated.
    const validation = steps === this.#stepsPerEpoch ? await this.#evaluate() : {};
    if (this.#options.signal?.aborted) return;
    if (userCallbacks) this.#ledger.publish();
    await list.onEpochEnd(epoch, { ...validation, ...means });
  }

  async #train(epoch: number, logs: EpochLogs): Promise<void> {
    const { arena, control, setup } = this.#prepared;
    const { batchSize, shuffle } = this.#options;
    const { rows } = setup.training;
    control.stepsDone = 0;
    control.stopped = false;
    control.version = this.#counts.updates;
    arena.ints('clocks').fill(0);
    arena.ints('staleness').fill(-1);
    const plan: EpochPlan = {
      batchSize,
      updatesBefore: this.#counts.updates,
      batchesBefore: this.#counts.batches,
      shuffled: shuffle,
      epoch,
      optimizer: this.#currentOptimizer(),
    };
    this.#clearStop();
    const started = performance.now();
    const training = this.#group
      .all((worker) => worker.trainEpoch(plan))
      .then((reports) => {
        // Here, so that it counts even if a callback ends the epoch with an error: what was trained is whole.
        const steps = control.stepsDone;
        this.#count(reports, steps);
        this.#ledger.save(this.#counts, plan.optimizer);
        this.#recorder.addEpoch(reports, Math.min(rows, steps * batchSize), (performance.now() - started) / 1000);
        return reports;
      });
    await followEpoch(training, this.#follower(epoch, logs, started));
  }

  /** Lets the workers run again after an earlier request to stop, unless the signal stands behind it. */
  #clearStop(): void {
    if (!this.#options.signal?.aborted) this.#prepared.control.clearStop();
  }

  get #stepsPerEpoch(): number {
    return batchCount(this.#prepared.setup.training.rows, this.#options.batchSize);
  }

  #follower(epoch: number, logs: EpochLogs, started: number) {
    const { list, userCallbacks } = this.#callbacks;
    const { onProgress, epochs } = this.#options;
    const steps = this.#stepsPerEpoch;
    return {
      control: this.#prepared.control,
      logs,
      callbacks: userCallbacks ? list : undefined,
      stopAsked: () => this.#stopAsked,
      onProgress:
        onProgress &&
        ((state: { step: number; rows: number; logs: Record<string, number> }) => {
          const samplesPerSecond = state.rows / ((performance.now() - started) / 1000);
          onProgress({ epoch, epochs, steps, ...state, samplesPerSecond });
        }),
    };
  }

  /** Loss and metrics of the validation set by the names of `History`; nothing if there is none. */
  async #evaluate(): Promise<Record<string, number>> {
    const { validation } = this.#prepared.setup;
    if (!validation) return {};
    const { batchSize } = this.#options;
    this.#clearStop();
    // Training may have been stopped at its last step, which is no reason not to validate.
    this.#prepared.control.stopped = false;
    await this.#group.all((worker) => worker.evaluate(batchSize));
    const means = this.#logsOf(validation.rows).advance(batchCount(validation.rows, batchSize)).means();
    return Object.fromEntries(Object.entries(means).map(([name, value]) => [`val_${name}`, value]));
  }

  #logsOf(rows: number): EpochLogs {
    const { arena, logNames: names } = this.#prepared;
    const { batchSize, shards } = this.#options;
    return new EpochLogs({ logs: arena.floats('logs'), names, rows, batchSize, shards });
  }

  /**
   * The optimizer as it stands: a callback may have changed the rate of the compiled one.
   *
   * @throws Error if it has become one that keeps more or fewer numbers than there is room for.
   */
  #currentOptimizer(): Optimizer {
    const current = this.#options.optimizer ?? describeCompiled(this.#model.optimizer);
    const { optimizer } = this.#prepared;
    if (current.kind === optimizer.kind && slotsOf(current) === slotsOf(optimizer)) return current;
    throw new Error('the model was compiled with another optimizer while it was being trained: do so between two fits');
  }

  /** Notes what an epoch has added to the optimizer's counts. */
  #count(reports: EpochReport[], steps: number): void {
    const { kind } = this.#options.rule;
    // Replicas count their own steps; the shared weights of an asynchronous rule count every update in the arena.
    const asynchronous = kind === 'per-shard' || kind === 'hogwild';
    this.#counts.updates = asynchronous ? this.#prepared.control.version : this.#counts.updates + steps;
    this.#counts.batches += steps;
    if (asynchronous) this.#recorder.addStaleness(this.#prepared.arena.ints('staleness'), reports);
  }

  #withSummary(error: unknown): unknown {
    return error instanceof Error && Object.isExtensible(error)
      ? Object.assign(error, { run: this.#recorder.summary() })
      : error;
  }
}
