import type { Measurement } from '../check.js';
import type { WorkloadResult } from '../scaling-results.js';

/** What `--json` writes. */
export interface ScalingReport {
  machine: string;
  node: string;
  date: string;
  rounds: number;
  seconds: number;
  /** What `bench:check` compares. */
  measurements: Measurement[];
  workloads: WorkloadResult[];
}

export function scalingReport(
  workloads: WorkloadResult[],
  origin: Omit<ScalingReport, 'measurements' | 'workloads'>,
): ScalingReport {
  const measurements = workloads.flatMap(({ name, points }) =>
    points.map(({ scaling, workers, split, samples }) => ({
      name: `${name}, ${scaling}, ${workers === 1 ? '1 worker' : `${workers} workers sharing ${split}`}`,
      unit: 'ms/update',
      samples,
    })),
  );
  return { ...origin, measurements, workloads };
}
