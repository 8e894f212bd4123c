import type { EpochReport, TensorMemory } from '../common/protocol.js';
import type { Split } from '../common/shards.js';
import type { UpdateRuleName } from '../common/update-rules.js';
import type { ResolvedOptions } from './options.js';
import type { RowSource } from './row-source.js';
import type { TriedWorkers } from './worker-trial.js';

/** Where one thread's training time went, in seconds. */
export interface ThreadSummary {
  rank: number;
  gatherSeconds: number;
  computeSeconds: number;
  waitSeconds: number;
  /**
   * What shards exchange in the middle of a step (totals of batch statistics, activations), the wait for other workers included, and
   * gradients that are pushed to other workers.
   */
  exchangeSeconds: number;
  reduceSeconds: number;
}

/** Staleness of updates: those that were applied between the reading of an update's weights and its own application. */
export interface StalenessSummary {
  /** `counts[s]` updates had staleness s. */
  counts: number[];
  mean: number;
  max: number;
  /** The most mini-batches that a worker was ahead of the slowest. */
  maxLead: number;
}

/** What had been done by the end of an epoch, since the `fit` began. */
export interface Milestone {
  updates: number;
  rows: number;
  /** Seconds of training: preparation and validation are left out. Of short epochs that were trained in a row: in proportion to their mini-batches. */
  seconds: number;
  /** Where workers are simulated: the time they would have taken, in units of one row's mean time. */
  simulatedTime?: number;
}

/** What a `fit` did, counted. */
export interface RunSummary {
  /** Rows of an epoch, and rows held back for validation. Of a data set whose end is not known before, those of the longest epoch. */
  rows: number;
  validationRows: number;
  /** Mini-batches in an epoch. */
  miniBatches: number;
  epochs: number;
  /** Updates of the weights made by this `fit`. */
  updates: number;
  workers: number;
  /**
   * Of `workers: 'auto'`: how many of the workers turned out to be the fastest, and what each number tried took; none where the
   * model said beforehand that its mini-batches were not worth cutting.
   */
  settled?: { workers: number; tried: TriedWorkers[] };
  shards: number;
  /** What the shards of a mini-batch shared: its rows, or the units of the layers. */
  split: Split;
  batchSize: number;
  /** What a mini-batch did to the weights. */
  update: UpdateRuleName;
  /** Of `sync` with gradient accumulation: mini-batches that made one update, with the mean of their gradients. */
  gradientAccumulationSteps?: number;
  /** Of `local`: mini-batches from one averaging of the replicas, which counts as one update, to the next. */
  syncEvery?: number;
  /** Of rules in which shards update on their own. */
  staleness?: StalenessSummary;
  /** Time that simulated workers would have taken, in units of one row's mean time. */
  simulatedTime?: number;
  /** Seconds of training: preparation and validation are left out. */
  seconds: number;
  samplesPerSecond: number;
  /** Where the run stood at the end of each epoch. */
  milestones: Milestone[];
  threads: ThreadSummary[];
  /** Where weights were read and gradients written: in the arena itself, in memory of each thread alone, or, with `engine: 'tfjs'`, in copies. */
  tensorMemory: TensorMemory;
  /** Mini-batches whose gradients and new weights workers pushed to each other; those of the others were pulled. See `transport`. */
  pushed: number;
  /** What was not done as asked for, and why, and that training diverged, in sentences. */
  warnings: string[];
}

/** Adds up the reports of all workers over all epochs. */
export class RunRecorder {
  readonly #summary: RunSummary;

  constructor(
    { workers, shards, rule, gradientAccumulationSteps }: ResolvedOptions,
    split: Split,
    training: RowSource,
    validation: RowSource | undefined,
    warnings: string[],
  ) {
    const threads = Array.from({ length: workers }, (_, rank) => ({
      rank,
      gatherSeconds: 0,
      computeSeconds: 0,
      waitSeconds: 0,
      exchangeSeconds: 0,
      reduceSeconds: 0,
    }));
    this.#summary = {
      rows: training.rows ?? 0,
      validationRows: validation?.rows ?? 0,
      miniBatches: training.steps ?? 0,
      epochs: 0,
      updates: 0,
      workers,
      shards,
      split,
      batchSize: training.batchSize,
      update: rule.kind,
      ...(gradientAccumulationSteps > 1 && { gradientAccumulationSteps }),
      ...(rule.kind === 'local' && { syncEvery: rule.syncEvery }),
      seconds: 0,
      samplesPerSecond: 0,
      milestones: [],
      threads,
      tensorMemory: 'shared',
      pushed: 0,
      warnings,
    };
  }

  /** Takes in a part of an epoch: the report of every worker, and what the coordinator's clock showed. */
  add(reports: EpochReport[], rows: number, seconds: number): void {
    const summary = this.#summary;
    for (const { updates, simulatedTime } of reports) {
      summary.updates += updates;
      if (simulatedTime !== undefined) summary.simulatedTime = (summary.simulatedTime ?? 0) + simulatedTime;
    }
    this.#addTime(rows, seconds);
    // The first worker always trains.
    const [{ tensorMemory, pushed }] = reports as [EpochReport];
    summary.tensorMemory = tensorMemory;
    summary.pushed += pushed;
    reports.forEach(({ time }, rank) => {
      const thread = summary.threads[rank] as ThreadSummary;
      thread.gatherSeconds += time.gather;
      thread.computeSeconds += time.compute;
      thread.waitSeconds += time.wait;
      thread.exchangeSeconds += time.exchange;
      thread.reduceSeconds += time.reduce;
    });
  }

  /**
   * Ends epochs. What several together took is theirs in proportion to their mini-batches.
   *
   * @param saveSeconds what the copy of the weights took, which counts as training.
   */
  endEpochs(epochs: { rows: number; steps: number }[], saveSeconds: number): void {
    const summary = this.#summary;
    this.#addTime(0, saveSeconds);
    const { updates, simulatedTime, seconds, milestones } = summary;
    const simulated = simulatedTime !== undefined && { simulatedTime };
    const before = milestones.at(-1) ?? { updates: 0, rows: 0, seconds: 0 };
    const allSteps = epochs.reduce((sum, { steps }) => sum + steps, 0);
    const done = { rows: 0, steps: 0 };
    for (const { rows, steps } of epochs) {
      done.rows += rows;
      done.steps += steps;
      const share = allSteps === 0 ? 1 : done.steps / allSteps;
      milestones.push({
        updates: Math.round(before.updates + share * (updates - before.updates)),
        rows: before.rows + done.rows,
        seconds: before.seconds + share * (seconds - before.seconds),
        ...simulated,
      });
      summary.epochs++;
      summary.rows = Math.max(summary.rows, rows);
      summary.miniBatches = Math.max(summary.miniBatches, steps);
    }
  }

  /** Takes in the staleness of every update of an epoch; -1 stands where there was none. */
  addStaleness(staleness: Int32Array, reports: EpochReport[]): void {
    const summary = this.#summary.staleness ?? { counts: [], mean: 0, max: 0, maxLead: 0 };
    const { counts } = summary;
    for (const value of staleness) {
      if (value < 0) continue;
      while (counts.length <= value) counts.push(0);
      counts[value] = (counts[value] as number) + 1;
    }
    const updates = counts.reduce((a, b) => a + b, 0);
    summary.mean = counts.reduce((sum, count, value) => sum + count * value, 0) / Math.max(1, updates);
    summary.max = Math.max(0, counts.length - 1);
    summary.maxLead = Math.max(summary.maxLead, ...reports.map(({ maxLead }) => maxLead));
    this.#summary.staleness = summary;
  }

  /** Takes in how many workers were found to be the fastest. */
  settle(workers: number, tried: TriedWorkers[]): void {
    this.#summary.settled = { workers, tried };
  }

  /** Takes in how many rows a validation had. */
  addValidation(rows: number): void {
    this.#summary.validationRows = Math.max(this.#summary.validationRows, rows);
  }

  /** Takes in what was not done as asked for. */
  warn(warning: string): void {
    this.#summary.warnings = [...this.#summary.warnings, warning];
  }

  summary(): RunSummary {
    return structuredClone(this.#summary);
  }

  #addTime(rows: number, seconds: number): void {
    const summary = this.#summary;
    summary.samplesPerSecond = (summary.samplesPerSecond * summary.seconds + rows) / (summary.seconds + seconds);
    summary.seconds += seconds;
  }
}
