/** Counts what a `fit` leaves behind or starts. */
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { expect } from 'vitest';

// The report would otherwise ask for the names of network peers.
Object.assign(process.report, { excludeNetwork: true });

/** Worker threads of this process by Node's own count. */
export function workerThreads(): number {
  const report = process.report.getReport() as { workers?: unknown[] };
  return report.workers?.length ?? 0;
}

/** Threads of this process by the system's count; undefined where it does not say. */
export function systemThreads(): number | undefined {
  return process.platform === 'linux' ? readdirSync('/proc/self/task').length : undefined;
}

/** Runs `body` and expects that no worker thread was started. */
export async function expectNoThreads<T>(body: () => Promise<T>): Promise<T> {
  let started = 0;
  const count = () => started++;
  process.on('worker', count);
  try {
    return await body();
  } finally {
    process.off('worker', count);
    expect(started, 'threads started').toBe(0);
  }
}
