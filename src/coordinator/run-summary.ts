import type { EpochReport, TensorMemory } from '../common/protocol.js';
import { batchCount } from '../common/shards.js';
import type { ResolvedOptions } from './options.js';

/** Where one thread's training time went, in seconds. */
export interface ThreadSummary {
  rank: number;
  gatherSeconds: number;
  computeSeconds: number;
  waitSeconds: number;
  reduceSeconds: number;
}

/** What a `fit` did, counted. */
export interface RunSummary {
  /** Rows trained on, and rows held back for validation. */
  rows: number;
  validationRows: number;
  /** Mini-batches in an epoch. */
  miniBatches: number;
  epochs: number;
  /** Updates of the weights made by this `fit`. */
  updates: number;
  workers: number;
  shards: number;
  batchSize: number;
  /** Seconds of training: preparation and validation are left out. */
  seconds: number;
  samplesPerSecond: number;
  threads: ThreadSummary[];
  /** Whether step programs read weights and wrote gradients in the arena itself or by way of copies. */
  tensorMemory: TensorMemory;
}

/** Adds up the reports of all workers over all epochs. */
export class RunRecorder {
  readonly #summary: RunSummary;

  constructor({ workers, shards, batchSize }: ResolvedOptions, rows: number, validationRows: number) {
    const miniBatches = batchCount(rows, batchSize);
    const threads = Array.from({ length: workers }, (_, rank) => ({
      rank,
      gatherSeconds: 0,
      computeSeconds: 0,
      waitSeconds: 0,
      reduceSeconds: 0,
    }));
    this.#summary = {
      rows,
      validationRows,
      miniBatches,
      epochs: 0,
      updates: 0,
      workers,
      shards,
      batchSize,
      seconds: 0,
      samplesPerSecond: 0,
      threads,
      tensorMemory: 'shared',
    };
  }

  /** Takes in one epoch: the report of every worker, and what the coordinator's clock showed. */
  addEpoch(reports: EpochReport[], rows: number, seconds: number): void {
    const summary = this.#summary;
    summary.epochs++;
    summary.updates += reports[0]?.steps ?? 0;
    summary.samplesPerSecond = (summary.samplesPerSecond * summary.seconds + rows) / (summary.seconds + seconds);
    summary.seconds += seconds;
    if (reports.some(({ tensorMemory }) => tensorMemory === 'copied')) summary.tensorMemory = 'copied';
    reports.forEach(({ time }, rank) => {
      const thread = summary.threads[rank] as ThreadSummary;
      thread.gatherSeconds += time.gather;
      thread.computeSeconds += time.compute;
      thread.waitSeconds += time.wait;
      thread.reduceSeconds += time.reduce;
    });
  }

  summary(): RunSummary {
    return structuredClone(this.#summary);
  }
}
