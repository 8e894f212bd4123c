import type * as tf from '@tensorflow/tfjs';
import { type Optimizer, slotsOf } from '../common/optimizers/index.js';
import type { EpochPlan, EpochReport, Pass } from '../common/protocol.js';
import type { Split } from '../common/shards.js';
import { batchSizes } from '../common/shards.js';
import { configureCallbacks } from './callbacks.js';
import { divergenceOf } from './divergence.js';
import { EpochLogs } from './epoch-logs.js';
import { EpochsInARow } from './epochs-in-a-row.js';
import type { FitHistory } from './fit.js';
import { HookWatch } from './hook-watch.js';
import { describeCompiled } from './optimizer-state.js';
import type { ResolvedOptions } from './options.js';
import type { PreparedFit } from './prepare.js';
import { followEpoch } from './progress.js';
import { ReplicaGroup } from './replica-group.js';
import { rowsOf } from './row-source.js';
import { RunRecorder } from './run-summary.js';
import { isStateful, StateResets } from './stateful.js';
import type { ThreadSource } from './threads.js';
import { unlessAborted } from './unless-aborted.js';
import { WeightsLedger } from './weights-ledger.js';
import { WorkerTrial } from './worker-trial.js';

/** One call of `fit` from its threads' start to their end. The coordinator schedules epochs; workers do the steps. */
export class Training implements AsyncDisposable {
  readonly #model: tf.LayersModel;
  readonly #prepared: PreparedFit;
  readonly #options: ResolvedOptions;
  readonly #group: ReplicaGroup;
  readonly #callbacks: ReturnType<typeof configureCallbacks>;
  readonly #recorder: RunRecorder;
  readonly #watch: HookWatch;
  readonly #resets: StateResets;
  readonly #onAbort: () => void;
  /** Updates made by the optimizer and mini-batches trained on, those of earlier fits included. */
  #counts: { updates: number; batches: number };
  readonly #ledger: WeightsLedger;
  /** Mini-batches of the epoch whose gradients wait for others, to make an update. */
  #gathered = 0;
  #diverged = false;
  /** Set while, or since, the number of workers was to be found. */
  readonly #trial: WorkerTrial | undefined;
  readonly #trials: ThreadSource['trials'];
  readonly #inARow: EpochsInARow;

  constructor(model: tf.LayersModel, prepared: PreparedFit, options: ResolvedOptions, threads: ThreadSource) {
    const { setup, arena, control, counts, layouts, arrangement, logNames, training, validation } = prepared;
    this.#model = model;
    this.#prepared = prepared;
    this.#options = options;
    this.#counts = { ...counts };
    const names = validation ? [...logNames, ...logNames.map((name) => `val_${name}`)] : logNames;
    this.#callbacks = configureCallbacks(model, options, training, names, validation !== undefined);
    this.#recorder = new RunRecorder(options, setup.split, training, validation, prepared.warnings);
    this.#resets = new StateResets(model);
    this.#watch = new HookWatch(model, prepared.weights, options.optimizer !== undefined, this.#resets);
    this.#ledger = new WeightsLedger(model, prepared.weights, arena, layouts, arrangement);
    this.#trials = threads.trials;
    if (options.triesWorkers) {
      const trial = this.#trials?.get(this.#kind);
      this.#trial = trial ?? new WorkerTrial(options.workers, options.gradientAccumulationSteps);
    }
    this.#inARow = new EpochsInARow(this.#mostInARow());
    this.#onAbort = () => control.requestStop();
    this.#group = new ReplicaGroup(setup, control, threads);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
  }

  /** Trains all epochs and leaves the weights in the model, also when training ends early. */
  async run(): Promise<FitHistory> {
    const { list, history } = this.#callbacks;
    const { signal } = this.#options;
    let running = false;
    try {
      await this.#group.all((worker) => worker.load());
      signal?.throwIfAborted();
      this.#model.stopTraining = false;
      running = true;
      await list.onTrainBegin();
      for (let epoch = this.#options.initialEpoch; epoch < this.#options.epochs; ) {
        const count = this.#howMany(this.#options.epochs - epoch);
        const started = performance.now();
        await (count === 1 ? this.#epoch(epoch) : this.#severalEpochs(epoch, count));
        this.#inARow.add(count, (performance.now() - started) / 1000);
        epoch += count;
        if (this.#stopAsked || this.#ranOut(epoch - 1)) break;
      }
      signal?.throwIfAborted();
      this.#ledger.publish();
      running = false;
      await list.onTrainEnd();
    } catch (error) {
      this.#ledger.publish();
      // The end that was asked for is one like others: `earlyStopping` may have better weights.
      if (running && signal?.aborted && error === signal.reason) await list.onTrainEnd();
      throw this.#withSummary(error);
    }
    return Object.assign(history, { run: this.#recorder.summary() }) as FitHistory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#resets[Symbol.dispose]();
    await this.#group.close();
  }

  get #stopAsked(): boolean {
    return this.#model.stopTraining || this.#options.signal?.aborted === true;
  }

  async #epoch(epoch: number): Promise<void> {
    const { list, userCallbacks } = this.#callbacks;
    await list.onEpochBegin(epoch);
    if (userCallbacks) this.#ledger.takeOver();
    this.#watch.begin();
    if (this.#resets.take()) await this.#group.all((worker) => worker.resetStates());
    const logs = this.#newLogs(this.#prepared.setup.split);
    const whole = await this.#train(epoch, logs);
    if (this.#options.signal?.aborted || logs.steps === 0) return;
    const means = logs.means();
    // As in tfjs, an epoch that a callback has cut short is not validated.
    const validation = whole ? await this.#evaluate() : {};
    if (this.#options.signal?.aborted) return;
    this.#watchDivergence(epoch, { ...means, ...validation });
    if (userCallbacks) this.#ledger.publish();
    await list.onEpochEnd(epoch, { ...validation, ...means });
  }

  /** How many epochs can be trained before anybody has to be told: there are logs of so many. */
  #mostInARow(): number {
    const { training, validation, arena, setup } = this.#prepared;
    const { rule, speeds, gradientAccumulationSteps, onProgress } = this.#options;
    const isWatched = this.#callbacks.userCallbacks || validation !== undefined || onProgress !== undefined;
    // Of a stateful model the user may reset the states between two epochs.
    const isPlain = rule.kind === 'sync' && !speeds && gradientAccumulationSteps === 1 && !isStateful(this.#model);
    if (isWatched || !isPlain || !training.whole) return 1;
    const steps = Math.floor(arena.floats('logs').length / (setup.shards * setup.logCount));
    return Math.floor(steps / training.whole.steps);
  }

  /** How many of the epochs that are left to train next. */
  #howMany(left: number): number {
    return this.#trial?.settled === false ? 1 : this.#inARow.next(left);
  }

  /** Trains short epochs, and tells of them when all are done. */
  async #severalEpochs(first: number, count: number): Promise<void> {
    const { list } = this.#callbacks;
    const pass = this.#prepared.training.whole as Pass;
    const optimizer = this.#currentOptimizer();
    await this.#pass(first, pass, optimizer, count);
    const done = this.#prepared.control.stepsDone;
    const epochs: EpochLogs[] = [];
    for (let begin = 0; begin < done; begin += pass.steps) {
      const steps = Math.min(pass.steps, done - begin);
      epochs.push(this.#newLogs(this.#prepared.setup.split).begin(pass, begin).advance(steps));
    }
    this.#save(optimizer, epochs);
    for (const [i, logs] of epochs.entries()) {
      if (logs.steps < pass.steps && this.#options.signal?.aborted) return;
      await list.onEpochBegin(first + i);
      const means = logs.means();
      this.#watchDivergence(first + i, means);
      await list.onEpochEnd(first + i, means);
    }
  }

  /** Warns of it once: what comes after it is not finite either. */
  #watchDivergence(epoch: number, logs: Record<string, number>): void {
    const divergence = this.#diverged ? undefined : divergenceOf(epoch, logs);
    if (divergence) this.#warn(divergence);
    this.#diverged ||= divergence !== undefined;
  }

  /** Whether the data ended in this epoch, which is then told. */
  #ranOut(epoch: number): boolean {
    const { exhausted, steps } = this.#prepared.training;
    if (!exhausted) return false;
    this.#warn(
      `the data set ended in epoch ${epoch + 1}, before its ${steps} batches were full, and training with it: ` +
        'give batchesPerEpoch times epochs batches at least, for example with dataset.repeat()',
    );
    return true;
  }

  #warn(warning: string): void {
    this.#recorder.warn(warning);
    this.#options.onWarning?.(warning);
  }

  /** Trains one epoch. Returns whether all of it was trained. */
  async #train(epoch: number, logs: EpochLogs): Promise<boolean> {
    const follower = this.#follower(epoch);
    // For the whole of it: where a pass ends may depend on how fast the machine is.
    const optimizer = this.#currentOptimizer();
    // What was trained is whole and counts, even if a callback ends the epoch with an error; not so if a thread is lost.
    let last: Pass | undefined;
    try {
      for await (const pass of this.#prepared.training.epoch(this.#trial)) {
        await this.#ensurePrograms('training', pass);
        const training = this.#pass(epoch, pass, optimizer);
        training.then(
          () => {
            last = pass;
          },
          () => {
            last = undefined;
          },
        );
        await followEpoch(training, { ...follower, logs: logs.begin(pass) });
        // Before the next pass, or the validation, whose logs take the same place in the arena.
        logs.advance(this.#prepared.control.stepsDone);
        if (logs.stepsOfPass < pass.steps) return false;
        if (this.#stopAsked) return logs.steps === this.#prepared.training.steps;
      }
      return true;
    } finally {
      if (last) {
        logs.advance(this.#prepared.control.stepsDone);
        if (this.#gathered > 0) await this.#pass(epoch, { ...last, steps: 0 }, optimizer);
        this.#save(optimizer, [logs]);
      }
    }
  }

  /** Keeps the weights, which are whole now, at the end of epochs. */
  #save(optimizer: Optimizer, epochs: { rows: number; steps: number }[]): void {
    const started = performance.now();
    this.#ledger.save(this.#counts, optimizer);
    this.#recorder.endEpochs(epochs, (performance.now() - started) / 1000);
  }

  /** Gives the workers the programs for the sizes of batches in a pass that they have not seen before. */
  async #ensurePrograms(work: 'training' | 'evaluation', { data, batchSize }: Pass): Promise<void> {
    const known = this.#prepared.setup.programs[work];
    for (const size of batchSizes(data.rows, batchSize)) {
      if (known.some(({ batchRows }) => batchRows === size)) continue;
      const programs = this.#prepared.compile(work, size);
      known.push(...programs);
      await this.#group.all((worker) => worker.add(work, programs));
    }
  }

  /** Trains the mini-batches of one pass, `epochs` times; with none, applies what was gathered before. */
  async #pass(epoch: number, pass: Pass, optimizer: Optimizer, epochs = 1): Promise<void> {
    const { arena, control } = this.#prepared;
    control.stepsDone = 0;
    control.stopped = false;
    control.version = this.#counts.updates;
    arena.ints('clocks').fill(0);
    arena.ints('staleness').fill(-1);
    const plan: EpochPlan = {
      ...pass,
      epochs,
      workers: this.#trial?.workers ?? this.#options.workers,
      updatesBefore: this.#counts.updates,
      batchesBefore: this.#counts.batches,
      accumulationSteps: this.#options.gradientAccumulationSteps,
      gathered: this.#gathered,
      shuffled: this.#options.shuffle,
      epoch,
      optimizer,
    };
    this.#clearStop();
    const started = performance.now();
    const reports = await this.#group.all((worker) => worker.trainEpoch(plan));
    const steps = control.stepsDone;
    this.#count(reports, steps);
    this.#gathered = pass.steps === 0 ? 0 : (this.#gathered + steps) % plan.accumulationSteps;
    const seconds = (performance.now() - started) / 1000;
    this.#recorder.add(reports, rowsOf(pass, steps), seconds);
    if (steps > 0) this.#trial?.add(steps, seconds);
    if (this.#trial?.settled) this.#settle(this.#trial);
  }

  #settle(trial: WorkerTrial): void {
    this.#recorder.settle(trial.workers, trial.tried);
    this.#trials?.set(this.#kind, trial);
  }

  /** Trainings of the model that have it in common are expected to be fastest with the same number of workers. */
  get #kind(): string {
    const { batchSize, gradientAccumulationSteps, workers } = this.#options;
    const { shards, split } = this.#prepared.setup;
    return JSON.stringify({ batchSize, gradientAccumulationSteps, workers, shards, split });
  }

  /** Lets the workers run again after an earlier request to stop, unless the signal stands behind it. */
  #clearStop(): void {
    if (!this.#options.signal?.aborted) this.#prepared.control.clearStop();
  }

  #follower(epoch: number) {
    const { list, userCallbacks } = this.#callbacks;
    const { onProgress, epochs, signal } = this.#options;
    const { steps } = this.#prepared.training;
    const started = performance.now();
    return {
      control: this.#prepared.control,
      callbacks: userCallbacks ? list : undefined,
      stopAsked: () => this.#stopAsked,
      afterCallbacks: () => {
        for (const warning of this.#watch.warnings()) this.#warn(warning);
      },
      onProgress:
        onProgress &&
        ((state: { step: number; rows: number; logs: Record<string, number> }) => {
          const samplesPerSecond = state.rows / ((performance.now() - started) / 1000);
          const progress = { epoch, epochs, ...(steps !== undefined && { steps }), ...state, samplesPerSecond };
          return unlessAborted(() => onProgress(progress), signal);
        }),
    };
  }

  /** Loss and metrics of the validation set by the names of `History`; nothing if there is none. */
  async #evaluate(): Promise<Record<string, number>> {
    const { validation } = this.#prepared;
    if (!validation) return {};
    this.#clearStop();
    // Training may have been stopped at its last step, which is no reason not to validate.
    this.#prepared.control.stopped = false;
    const logs = this.#newLogs('rows');
    for await (const pass of validation.epoch()) {
      await this.#ensurePrograms('evaluation', pass);
      await this.#group.all((worker) => worker.evaluate(pass));
      logs.begin(pass).advance(pass.steps);
      if (this.#options.signal?.aborted) return {};
    }
    this.#recorder.addValidation(logs.rows);
    return Object.fromEntries(Object.entries(logs.means()).map(([name, value]) => [`val_${name}`, value]));
  }

  #newLogs(split: Split): EpochLogs {
    const { arena, logNames: names } = this.#prepared;
    return new EpochLogs({ logs: arena.floats('logs'), names, shards: this.#options.shards, split });
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
    const made = kind === 'sync' ? reports.reduce((sum, { updates }) => sum + updates, 0) : steps;
    this.#counts.updates = asynchronous ? this.#prepared.control.version : this.#counts.updates + made;
    this.#counts.batches += steps;
    if (asynchronous) this.#recorder.addStaleness(this.#prepared.arena.ints('staleness'), reports);
  }

  #withSummary(error: unknown): unknown {
    return error instanceof Error && Object.isExtensible(error)
      ? Object.assign(error, { run: this.#recorder.summary() })
      : error;
  }
}
