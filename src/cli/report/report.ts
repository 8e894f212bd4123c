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

/** An epoch and its loss and metrics. */
export interface EpochResult {
  /** From 0. */
  epoch: number;
  logs: Record<string, number>;
}

/** How a run ended. */
export interface Outcome {
  run: RunSummary;
  /** The epoch that the weights are those of, or the last whole one before them, if there is one. */
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
  epochEnd(epoch: number, logs: Record<string, number>): void;
  /** Training is over, as planned or not: nothing more is drawn. */
  stop(): void;
  end(outcome: Outcome): void;
}
