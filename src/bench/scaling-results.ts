import type { MachineLimits } from './machine-limits.js';
import { bestWorkers, type Prediction, predict } from './prediction.js';
import type { PointSamples, ScalingSamples } from './scaling.js';
import type { Scaling } from './scaling-plan.js';
import { type Spread, spreadOf } from './statistics.js';
import type { StepWork } from './step-work.js';

/** A point with what is made of it. */
export interface PointResult extends PointSamples {
  /** Milliseconds per update. */
  spread: Spread;
  /** Rows per second. */
  rowsPerSecond: number;
  /** Rows per second over those of one worker alone. */
  speedup: number;
  /** The same where times are at their quartiles: how sure the speed-up is. */
  speedupRange: [number, number];
  /** The speed-up over the number of workers. */
  efficiency: number;
  /** Floating-point operations per second, over those that as many threads do in matrix products alone. */
  limitShare: number;
  prediction: Prediction;
  predictedSpeedup: number;
}

export interface WorkloadResult {
  name: string;
  work: StepWork;
  limits: MachineLimits[];
  points: PointResult[];
  /** Numbers of workers with the shortest updates of the same mini-batch; undefined if only weak scaling was measured. */
  best?: { measured: number; predicted: number };
}

/** Makes speed-ups, shares and predictions of the samples of one workload. */
export function scalingResult(name: string, work: StepWork, { points, limits }: ScalingSamples): WorkloadResult {
  const alone = points.find(({ workers }) => workers === 1);
  if (!alone) throw new RangeError('one worker alone was not measured');
  const results = points.map((point) => resultOf(point, alone, work, limits));
  const strong = results.filter(({ scaling }) => scaling === 'strong');
  const fastest = strong.reduce((a, b) => (b.spread.median < a.spread.median ? b : a));
  const predicted = bestWorkers(strong.map(({ prediction }) => prediction));
  const best = strong.length > 1 && { best: { measured: fastest.workers, predicted } };
  return { name, work, limits, points: results, ...best };
}

function resultOf(point: PointSamples, alone: PointSamples, work: StepWork, limits: MachineLimits[]): PointResult {
  const { workers, batchSize } = point;
  const spread = spreadOf(point.samples);
  const one = spreadOf(alone.samples).median;
  const speedupAt = (milliseconds: number) => (one / milliseconds) * (batchSize / alone.batchSize);
  const basis = { work, batchSize: alone.batchSize, secondsAlone: one / 1000, limits };
  const prediction = predict(basis, workers, batchSize, alone, point);
  const flopsPerSecond = (work.flops * (batchSize / alone.batchSize)) / (spread.median / 1000);
  const limit = limits.find(({ threads }) => threads === workers) as MachineLimits;
  return {
    ...point,
    spread,
    rowsPerSecond: batchSize / (spread.median / 1000),
    speedup: speedupAt(spread.median),
    speedupRange: [speedupAt(spread.q3), speedupAt(spread.q1)],
    efficiency: speedupAt(spread.median) / workers,
    limitShare: flopsPerSecond / limit.matrix,
    prediction,
    predictedSpeedup: speedupAt(prediction.seconds * 1000),
  };
}

/** The points of a scaling, one worker alone among them. */
export function pointsOf({ points }: WorkloadResult, scaling: Scaling): PointResult[] {
  return points.filter((point) => point.scaling === scaling || point.workers === 1);
}
