import type { Progress, RunSummary } from '../../index.js';

/** What is known before the first step. */
export interface RunPlan {
  data: string;
  rows: number;
  validationRows: number;
  features: number;
  target: string;
  model: string;
  objective: string;
  optimizer?: string;
}

/** Loss and metrics of an epoch. */
export type Logs = Record<string, number>;

export interface EpochResult {
  /** From 0. */
  epoch: number;
  logs: Logs;
}

/** How a run ended. */
export interface Outcome {
  run: RunSummary;
  /** The epoch whose weights were kept; after Ctrl-C the last whole one before them. Undefined if none was whole. */
  kept?: EpochResult | undefined;
  weightsSha256: string;
  /** Whether Ctrl-C or a signal ended it early. */
  interrupted: boolean;
  /** Whether a loss or a weight is not a finite number any more. */
  diverged: boolean;
  /** Folder that the model was saved to. */
  saved?: string | undefined;
}

/** Tells how a run goes, in one of several forms. */
export interface Report {
  start(plan: RunPlan): void;
  progress(progress: Progress): void;
  epochEnd(epoch: number, logs: Logs): void;
  /** Training is over, as planned or not: nothing more is drawn. */
  stop(): void;
  end(outcome: Outcome): void;
}
