import type * as tf from '@tensorflow/tfjs';
import { CustomCallback } from '@tensorflow/tfjs';
import { type FitOptions, fit, type RunSummary } from '../index.js';
import type { EpochResult, Logs, Report } from './report/report.js';

/** How training ended, as planned or by a signal. */
export interface FitOutcome {
  run: RunSummary;
  interrupted: boolean;
  /** Of every whole epoch, in order. */
  results: EpochResult[];
}

/**
 * Trains and reports on the way.
 *
 * @param stopping ends training early, if there is one
 * @throws what `fit` throws, but for the end that `signal` asked for once training had begun.
 */
export async function runFit(
  model: tf.LayersModel,
  x: tf.Tensor,
  y: tf.Tensor,
  options: FitOptions,
  report: Report,
  signal: AbortSignal,
  stopping?: tf.Callback,
): Promise<FitOutcome> {
  const results: EpochResult[] = [];
  const reporting = new CustomCallback({
    onEpochEnd: (epoch: number, epochLogs?: tf.Logs) => {
      const logs = trainingFirst({ ...epochLogs } as Logs);
      results.push({ epoch, logs });
      report.epochEnd(epoch, logs);
    },
  });
  try {
    // biome-ignore lint/suspicious/noFocusedTests: it is no test that is focused here.
    const { run } = await fit(model, x, y, {
      ...options,
      signal,
      onProgress: (state) => report.progress(state),
      callbacks: stopping ? [reporting, stopping] : [reporting],
    });
    return { run, interrupted: false, results };
  } catch (error) {
    const run = (error as { run?: RunSummary }).run;
    if (signal.aborted && error === signal.reason && run !== undefined) return { run, interrupted: true, results };
    throw error;
  } finally {
    report.stop();
  }
}

/** The logs of an epoch for people: those of training, then those of validation. */
function trainingFirst(logs: Logs): Logs {
  const isValidation = (name: string) => Number(name.startsWith('val_'));
  return Object.fromEntries(Object.entries(logs).sort(([a], [b]) => isValidation(a) - isValidation(b)));
}
