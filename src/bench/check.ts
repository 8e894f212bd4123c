import { type Spread, spreadOf } from './statistics.js';

/** Something measured several times; less is better. The reports of `shardfit bench` and `bench:peers` hold lists of them. */
export interface Measurement {
  name: string;
  unit: string;
  samples: number[];
}

export type Verdict = 'slower' | 'faster' | 'same';

/** What became of one measurement. */
export interface Change {
  name: string;
  unit: string;
  before: Spread;
  after: Spread;
  /** The new median over the old one. */
  ratio: number;
  verdict: Verdict;
}

export interface CheckResult {
  changes: Change[];
  /** Measured in one of the reports only. */
  onlyBefore: string[];
  onlyAfter: string[];
}

/** A change of less than this is not worth a word, however sure it is. */
const LEAST_CHANGE = 0.03;

/** Tells real changes from noise, for all that was measured in both. */
export function compareMeasurements(before: readonly Measurement[], after: readonly Measurement[]): CheckResult {
  const known = new Map(before.map((measurement) => [measurement.name, measurement]));
  const names = new Set(after.map(({ name }) => name));
  return {
    changes: after.flatMap((measurement) => {
      const old = known.get(measurement.name);
      return old ? [changeOf(old, measurement)] : [];
    }),
    onlyBefore: before.map(({ name }) => name).filter((name) => !names.has(name)),
    onlyAfter: [...names].filter((name) => !known.has(name)),
  };
}

function changeOf(old: Measurement, { name, unit, samples }: Measurement): Change {
  const [before, after] = [spreadOf(old.samples), spreadOf(samples)];
  const ratio = after.median / before.median;
  return { name, unit, before, after, ratio, verdict: verdictOf(before, after, ratio) };
}

/**
 * A change is real if the notches of the two do not meet: median ± 1.57 IQR / √n, outside of which medians differ at about
 * 95 % (McGill, Tukey and Larsen, "Variations of Box Plots", 1978). Of few rounds the quartiles may lie close together by
 * chance, so either median must lie outside of the other's quartiles as well. One sample alone has no spread and proves nothing.
 */
function verdictOf(before: Spread, after: Spread, ratio: number): Verdict {
  if (before.samples < 2 || after.samples < 2) return 'same';
  const apart = Math.abs(after.median - before.median) > notch(before) + notch(after);
  const outside = !within(after.median, before) && !within(before.median, after);
  if (!apart || !outside || !(Math.abs(ratio - 1) >= LEAST_CHANGE)) return 'same';
  return ratio > 1 ? 'slower' : 'faster';
}

function notch({ q1, q3, samples }: Spread): number {
  return (1.57 * (q3 - q1)) / Math.sqrt(samples);
}

function within(value: number, { q1, q3 }: Spread): boolean {
  return value >= q1 && value <= q3;
}
