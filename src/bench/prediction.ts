import type { RunSummary } from '../coordinator/run-summary.js';
import type { MachineLimits } from './machine-limits.js';
import type { StepWork } from './step-work.js';

/** What a prediction is made of. */
export interface PredictionBasis {
  work: Pick<StepWork, 'parameterBytes' | 'exchange'>;
  /** Rows of a mini-batch, of those of one worker alone: what was measured. */
  batchSize: number;
  /** Seconds per update that one worker alone took, as measured. */
  secondsAlone: number;
  /** Of one thread, and of as many as are asked about. */
  limits: MachineLimits[];
}

/** How an update was done: see `RunSummary`. */
export type Manner = Pick<RunSummary, 'split' | 'tensorMemory'>;

/** What an update is predicted to take, in seconds. */
export interface Prediction {
  workers: number;
  compute: number;
  bytes: number;
  barriers: number;
  /** The sum. */
  seconds: number;
}

/**
 * Predicts an update of `batchSize` rows by `workers` workers: compute / workers + bytes / bandwidth + barriers.
 *
 * - compute: what one worker alone took, less its bytes, by the rows of the largest shard; of units, by their share.
 * - bytes: those that all workers read and write for the update and for what they exchange in the middle of a step, at the rate
 *   at which they copy together.
 * - barriers: the meetings of an update, each of the time that empty ones take.
 *
 * It knows nothing of workers that disturb each other, so it is a bound more than a forecast.
 */
export function predict(
  basis: PredictionBasis,
  workers: number,
  batchSize: number,
  alone: Manner,
  together: Manner,
): Prediction {
  const { work, secondsAlone, limits } = basis;
  const limitOf = (threads: number) => {
    const found = limits.find((limit) => limit.threads === threads);
    if (!found) throw new RangeError(`limits of ${threads} threads were not measured`);
    return found;
  };
  const bytesSeconds = (count: number, manner: Manner) =>
    updateBytes(work.parameterBytes, count, manner) / limitOf(count).copy;
  const computeAlone = Math.max(0, secondsAlone - bytesSeconds(1, alone));
  const share = together.split === 'units' ? batchSize / workers : Math.ceil(batchSize / workers);
  const compute = (computeAlone * share) / basis.batchSize;
  // Left by each shard, and read by the others.
  const exchanged =
    workers === 1 ? 0 : (2 * workers * work.exchange[together.split].bytes * batchSize) / basis.batchSize;
  const bytes = bytesSeconds(workers, together) + exchanged / limitOf(workers).copy;
  const barriers = workers === 1 ? 0 : work.exchange[together.split].meetings * limitOf(workers).barrier;
  return { workers, compute, bytes, barriers, seconds: compute + bytes + barriers };
}

/**
 * Bytes of one update: each worker's gradient is read once, weights and velocity are read and written. With copies, as tfjs makes them, each
 * worker also copies the weights in and its gradient out. Workers that share units have all of it but once.
 */
export function updateBytes(parameterBytes: number, workers: number, { split, tensorMemory }: Manner): number {
  if (split === 'units') return 5 * parameterBytes;
  const copies = tensorMemory === 'copied' ? 4 * workers : 0;
  return parameterBytes * (workers + 4 + copies);
}

/** The number of workers with the shortest predicted update; of equals the smallest. */
export function bestWorkers(predictions: readonly Prediction[]): number {
  const best = predictions.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  return best.workers;
}
