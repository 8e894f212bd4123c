import type { PointResult, WorkloadResult } from '../scaling-results.js';
import { PARTS } from '../time-split.js';

/** One line for each point. Times are in milliseconds per update, rates per second. */
export function scalingCsv(workloads: readonly WorkloadResult[]): string {
  const rows = workloads.flatMap((workload) => workload.points.map((point) => columnsOf(workload, point)));
  const lines = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))];
  return `${lines.map((line) => line.map(cell).join(',')).join('\n')}\n`;
}

function columnsOf({ name, work, limits }: WorkloadResult, point: PointResult): Record<string, string | number> {
  const { scaling, workers, batchSize, spread, prediction } = point;
  const limit = limits.find(({ threads }) => threads === workers);
  return {
    workload: name,
    scaling,
    workers,
    batch_size: batchSize,
    split: point.split,
    rounds: spread.samples,
    ms_median: spread.median,
    ms_q1: spread.q1,
    ms_q3: spread.q3,
    ms_min: spread.min,
    ms_max: spread.max,
    rows_per_second: point.rowsPerSecond,
    speedup: point.speedup,
    efficiency: point.efficiency,
    ...Object.fromEntries(PARTS.map((part) => [`share_${part}`, point.shares[part]])),
    ms_predicted: prediction.seconds * 1000,
    ms_predicted_compute: prediction.compute * 1000,
    ms_predicted_bytes: prediction.bytes * 1000,
    ms_predicted_barriers: prediction.barriers * 1000,
    flops_per_update: (work.flops * batchSize) / batchSizeAlone(point),
    limit_flops: limit?.matrix ?? '',
    limit_bytes: limit?.copy ?? '',
    barrier_microseconds: (limit?.barrier ?? Number.NaN) * 1e6,
    limit_share: point.limitShare,
  };
}

function batchSizeAlone({ scaling, batchSize, workers }: PointResult): number {
  return scaling === 'weak' ? batchSize / workers : batchSize;
}

/** In quotes where a name has a comma or quotes in it. */
function cell(value: string | number): string {
  const text = typeof value === 'number' && Number.isNaN(value) ? '' : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
