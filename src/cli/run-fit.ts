import type * as tf from '@tensorflow/tfjs';
import { fit, type RunSummary, sgd } from '../index.js';
import type { Report } from './report/report.js';
import { ruleFitOptions } from './rule-options.js';
import type { TrainOptions } from './train-options.js';

/** How training ended, as planned or by a signal. */
export interface FitOutcome {
  run: RunSummary;
  interrupted: boolean;
  /** Loss of the last whole epoch; 0 if there was none. */
  loss: number;
}

/**
 * Trains with the options of the command line and reports on the way.
 *
 * @throws what `fit` throws, but for the end that `signal` asked for once training had begun.
 */
export async function runFit(
  model: tf.LayersModel,
  x: tf.Tensor,
  y: tf.Tensor,
  options: TrainOptions & { batchSize: number; lr: number },
  report: Report,
  signal: AbortSignal,
): Promise<FitOutcome> {
  const { batchSize, epochs, validationSplit, shuffle, seed, workers, shards } = options;
  const { lr: learningRate, momentum, nesterov, decay } = options;
  let loss = 0;
  try {
    // biome-ignore lint/suspicious/noFocusedTests: it is no test that is focused here.
    const { run } = await fit(model, x, y, {
      ...{ batchSize, epochs, validationSplit, shuffle, seed, workers, signal },
      ...(shards !== undefined && { shards }),
      ...ruleFitOptions(options),
      optimizer: sgd({ learningRate, momentum, nesterov, decay }),
      onProgress: (state) => report.progress(state),
      callbacks: {
        onEpochEnd: (epoch: number, logs?: tf.Logs) => {
          const numbers = trainingFirst(logs as Record<string, number>);
          loss = numbers.loss as number;
          report.epochEnd(epoch, numbers);
        },
      },
    });
    return { run, interrupted: false, loss };
  } catch (error) {
    const run = (error as { run?: RunSummary }).run;
    if (signal.aborted && error === signal.reason && run !== undefined) return { run, interrupted: true, loss };
    throw error;
  } finally {
    report.stop();
  }
}

/** The logs of an epoch for people: those of training, then those of validation. */
function trainingFirst(logs: Record<string, number>): Record<string, number> {
  const isValidation = (name: string) => Number(name.startsWith('val_'));
  return Object.fromEntries(Object.entries(logs).sort(([a], [b]) => isValidation(a) - isValidation(b)));
}
