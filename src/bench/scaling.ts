import type * as tf from '@tensorflow/tfjs';
import { slice } from '@tensorflow/tfjs';
import type { SplitChoice } from '../common/shards.js';
import { fitOn } from '../coordinator/fit.js';
import type { RunSummary, ThreadSummary } from '../coordinator/run-summary.js';
import { KeptThreads } from '../coordinator/threads.js';
import { type MachineLimits, measureLimits } from './machine-limits.js';
import { epochsFor, mostBatches, type Point } from './scaling-plan.js';
import { median } from './statistics.js';
import type { StepWork } from './step-work.js';
import { type TimeShares, timeShares } from './time-split.js';
import type { Workload, WorkloadFactory } from './workloads/workload.js';

export interface ScalingOptions {
  /** As for `fit`. Default 'auto'. */
  split?: SplitChoice;
  rounds: number;
  /** Training time of one point in one round. */
  seconds: number;
  signal?: AbortSignal;
  /** Told what is measured next. */
  onStep?: (what: string) => void;
}

/** A point, as measured. */
export interface PointSamples extends Point {
  /** Milliseconds per update, one of each round. */
  samples: number[];
  shares: TimeShares;
  split: RunSummary['split'];
  tensorMemory: RunSummary['tensorMemory'];
  warnings: string[];
}

export interface ScalingSamples {
  points: PointSamples[];
  /** Medians of the rounds. */
  limits: MachineLimits[];
}

/** Times of the machine's limits, of each rate, in milliseconds. */
const LIMIT_MILLISECONDS = 100;
/** Updates of a first, short training, by which the time of one is guessed. */
const WARM_UP_BATCHES = 4;
/** Share of a round that the next one takes, by which it is measured: the first updates are slow. */
const WARM_UP_SHARE = 1 / 4;
/** Bytes copied at a time: no more than tells main memory from caches. */
const MOST_COPIED = 2 ** 25;

/** A point in the middle of it. */
interface Entry {
  point: Point;
  build: Workload['build'];
  /** Mini-batches of an epoch. */
  batches: number;
  epochs: number;
  runs: RunSummary[];
  /** Kept from round to round. */
  threads: KeptThreads;
}

/**
 * Trains a workload at all points, and measures the machine's limits, in rounds: each round has every point once, beginning
 * with another one, so that what the machine does meanwhile falls on all of them.
 *
 * @throws the signal's reason once it is aborted.
 */
export async function measureScaling(
  factory: WorkloadFactory,
  points: readonly Point[],
  work: StepWork,
  options: ScalingOptions,
): Promise<ScalingSamples> {
  const { rounds, seconds, onStep } = options;
  const entries = points.map((point): Entry => {
    const { build } = factory(point.batchSize, 1);
    return { point, build, batches: WARM_UP_BATCHES, epochs: 1, runs: [], threads: new KeptThreads() };
  });
  const rows = Math.max(...points.map(({ batchSize }) => batchSize * mostBatches(batchSize)));
  const data = factory(1, rows).data();
  const counts = [...new Set(points.map(({ workers }) => workers))];
  const limits: MachineLimits[] = [];
  try {
    onStep?.('warming up');
    for (const entry of entries) {
      for (const share of [WARM_UP_SHARE, 1]) {
        const run = await train(entry, data, options);
        Object.assign(entry, epochsFor((share * seconds * run.updates) / run.seconds, entry.point.batchSize));
      }
    }
    for (let round = 0; round < rounds; round++) {
      onStep?.(`round ${round + 1} of ${rounds}`);
      const first = round % entries.length;
      for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
        entry.runs.push(await train(entry, data, options));
      }
      const copied = Math.min(MOST_COPIED, Math.max(4096, work.parameterBytes));
      for (const count of counts) limits.push(await measureLimits(count, copied, LIMIT_MILLISECONDS));
    }
  } finally {
    data.x.dispose();
    data.y.dispose();
    await Promise.all(entries.map(({ threads }) => threads.end()));
  }
  return { points: entries.map(samplesOf), limits: counts.map((count) => typicalLimits(count, limits)) };
}

async function train(
  { point, build, batches, epochs, threads }: Entry,
  data: { x: tf.Tensor; y: tf.Tensor },
  { split = 'auto', signal }: ScalingOptions,
): Promise<RunSummary> {
  const { batchSize, workers } = point;
  const model = build();
  const [x, y] = [slice(data.x, 0, batches * batchSize), slice(data.y, 0, batches * batchSize)];
  try {
    const stop = signal && { signal };
    const options = { batchSize, workers, split, epochs, shuffle: false, ...stop };
    const { run } = await fitOn(threads, model, x, y, options);
    return run;
  } finally {
    model.dispose();
    x.dispose();
    y.dispose();
  }
}

function samplesOf({ point, runs }: Entry): PointSamples {
  const threads = runs.flatMap((run): ThreadSummary[] => run.threads);
  const [{ split, tensorMemory, warnings }] = runs as [RunSummary];
  const samples = runs.map((run) => (1000 * run.seconds) / run.updates);
  return { ...point, samples, shares: timeShares(threads), split, tensorMemory, warnings };
}

function typicalLimits(threads: number, all: MachineLimits[]): MachineLimits {
  const own = all.filter((limits) => limits.threads === threads);
  const typical = (name: 'matrix' | 'copy' | 'barrier') => median(own.map((limits) => limits[name]));
  return { threads, matrix: typical('matrix'), copy: typical('copy'), barrier: typical('barrier') };
}
