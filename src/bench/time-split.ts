import type { ThreadSummary } from '../coordinator/run-summary.js';

export const PARTS = ['compute', 'wait', 'exchange', 'reduce', 'gather'] as const;

/** Shares of the threads' time, of all threads together; their sum is 1. */
export type TimeShares = Record<(typeof PARTS)[number], number>;

/** What threads did with their time. */
export function timeShares(threads: readonly ThreadSummary[]): TimeShares {
  const seconds = Object.fromEntries(
    PARTS.map((part) => [part, threads.reduce((sum, thread) => sum + thread[`${part}Seconds`], 0)]),
  ) as TimeShares;
  const all = PARTS.reduce((sum, part) => sum + seconds[part], 0);
  for (const part of PARTS) seconds[part] /= all || 1;
  return seconds;
}
