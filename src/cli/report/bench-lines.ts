import type { PointResult, WorkloadResult } from '../../bench/scaling-results.js';
import { counted } from './format.js';
import { textTable } from './text-table.js';

const HEADER = [
  '',
  'workers',
  'batch',
  'split',
  'ms/update',
  'quartiles',
  'speed-up',
  'predicted',
  'compute',
  'wait',
  'exchange',
  'reduce',
  'gather',
  'of limit',
];

/** What is about to be measured, and what the columns mean. */
export function benchHeader(machine: string, { rounds, seconds }: { rounds: number; seconds: number }): string[] {
  return [
    `${machine}, Node ${process.version}; medians of ${counted(rounds, 'round')} of ${seconds} s each`,
    'speed-up: rows per second, over those of one worker; predicted: ms/update by compute / workers + bytes / copy rate + barriers;',
    'compute to gather: shares of the time of all threads; of limit: arithmetic per second, over that of matrix products alone',
  ];
}

/** The tables of one workload. */
export function benchLines(result: WorkloadResult): string[] {
  const { name, work, points, best } = result;
  const facts = `${(work.flops / 1e6).toFixed(2)} MFLOP an update, ${(work.parameterBytes / 1024).toFixed(0)} KiB of weights${meetings(points, work)}`;
  return [
    '',
    `${name}: ${facts}`,
    ...textTable(HEADER, points.map(cells)),
    ...limitLines(result),
    ...crowdedLines(result),
    ...points.flatMap(({ warnings, workers }) => warnings.map((text) => `  note, ${workers} workers: ${text}`)),
    ...(best
      ? [
          `  fastest with ${counted(best.measured, 'worker')}; by the prediction with ${counted(best.predicted, 'worker')}`,
        ]
      : []),
  ];
}

/** Of the splits that were measured. */
function meetings(points: readonly PointResult[], { exchange }: WorkloadResult['work']): string {
  const splits = new Set(points.filter(({ workers }) => workers > 1).map(({ split }) => split));
  return [...splits].map((split) => `, ${exchange[split].meetings} meetings of shards of ${split}`).join('');
}

function cells({
  scaling,
  workers,
  batchSize,
  split,
  spread,
  speedup,
  prediction,
  shares,
  limitShare,
}: PointResult): string[] {
  return [
    workers === 1 ? 'alone' : scaling,
    String(workers),
    String(batchSize),
    workers === 1 ? '-' : split,
    spread.median.toFixed(3),
    `${spread.q1.toFixed(3)}-${spread.q3.toFixed(3)}`,
    speedup.toFixed(2),
    (prediction.seconds * 1000).toFixed(3),
    ...[shares.compute, shares.wait, shares.exchange, shares.reduce, shares.gather].map(percent),
    percent(limitShare),
  ];
}

function limitLines({ limits }: WorkloadResult): string[] {
  return limits.map(({ threads, matrix, copy, barrier }) => {
    const rates = `${(matrix / 1e9).toFixed(1)} GFLOP/s of matrix products, ${(copy / 1e9).toFixed(1)} GB/s read and written by copying`;
    return `  limits of ${counted(threads, 'thread')}: ${rates}${threads === 1 ? '' : `, ${(barrier * 1e6).toFixed(1)} µs a barrier`}`;
  });
}

/** Threads that hold each other up in a product of small matrices share a core, or have to share it with other programs. */
const CROWDED = 0.7;

function crowdedLines({ limits }: WorkloadResult): string[] {
  const alone = limits.find(({ threads }) => threads === 1)?.matrix ?? 0;
  return limits
    .filter(({ threads, matrix }) => matrix < CROWDED * threads * alone)
    .map(({ threads, matrix }) => {
      const times = (matrix / alone).toFixed(1);
      return `  note: ${threads} threads did ${times} times the matrix products of one: do other programs use these cores?`;
    });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
